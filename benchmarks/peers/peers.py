#!/usr/bin/env python3
"""deconvnet against what one would use instead: onnxruntime, PyTorch with Captum, oneDNN. In one run, in alternating
rounds, on the same inputs with the same number of threads; the results are compared before anything is timed.

  peers.py BUILD                BUILD: the folder with deconvnet_contestant and, for the layers, onednn_contestant
  peers.py BUILD --only layers,projection --rounds 9 --threads 1,2

Needs: numpy, onnx, onnxruntime, torch, captum. Rows against "own" compare two ways of deconvnet. A ratio above 1 says that
deconvnet is faster; given are the median over the rounds and, in brackets, the quartiles.
"""
import argparse
import gc
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime
import torch
from captum.attr import Deconvolution, Occlusion

import models

# name, channels in, filters, kernel, stride, padding, size
LAYERS = [
    ("AlexNet 3->64 11x11/4", 3, 64, 11, 4, 2, 224), ("AlexNet 64->192 5x5 @27", 64, 192, 5, 1, 2, 27),
    ("ZFNet 3->96 7x7/2", 3, 96, 7, 2, 1, 224), ("ZFNet 96->256 5x5/2", 96, 256, 5, 2, 0, 55),
    ("256->384 3x3 @13", 256, 384, 3, 1, 1, 13), ("384->384 3x3 @13", 384, 384, 3, 1, 1, 13),
    ("VGG 3->64 @224", 3, 64, 3, 1, 1, 224), ("VGG 64->64 @224", 64, 64, 3, 1, 1, 224),
    ("VGG 128->128 @112", 128, 128, 3, 1, 1, 112), ("VGG 256->256 @56", 256, 256, 3, 1, 1, 56),
    ("VGG 512->512 @28", 512, 512, 3, 1, 1, 28), ("VGG 512->512 @14", 512, 512, 3, 1, 1, 14),
    ("SqueezeNet 64->16 1x1 @55", 64, 16, 1, 1, 0, 55), ("SqueezeNet 16->64 3x3 @55", 16, 64, 3, 1, 1, 55),
    ("SqueezeNet 512->1000 1x1 @13", 512, 1000, 1, 1, 0, 13)]


class Process:
    """A contestant of contestant.hpp."""

    def __init__(self, path, threads, scratch):
        self.threads, self.scratch = threads, scratch
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a contestant ended at {request}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{answer['error']}, at {request}")
        return answer

    def prepare(self, **task):
        output = str(self.scratch / f"output{id(self)}.npy")
        self.ask({"prepare": {**task, "threads": self.threads, "output": output}})
        return np.load(output)

    def time(self, count):
        return self.ask({"time": count})["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Call:
    """A Python function as a contestant."""

    def __init__(self, work):
        self.work = work

    def time(self, count):
        seconds = []
        for _ in range(count):
            start = time.perf_counter()
            self.work()
            seconds.append(time.perf_counter() - start)
        return seconds


class Table:
    def __init__(self, args):
        self.args, self.rows, self.threads = args, [], 1

    def compare(self, what, peer_name, ours, peer, tolerance, results, per_ours=1.0):
        """Times both in turn. `results`: what each computed, to agree within `tolerance` of the largest value.
        per_ours: how many pieces of the peer's work one of ours does."""
        difference = None
        if results is not None:
            a, b = (np.asarray(r, np.float64).reshape(-1) for r in results)
            if a.shape != b.shape:
                raise SystemExit(f"{what}: {a.size} against {b.size} numbers")
            difference = np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)
            if not difference <= tolerance:
                raise SystemExit(f"{what} against {peer_name}: the results differ by {difference:.2e} of the largest value")
        once = ours.time(1)[0], peer.time(1)[0]
        first = max(once)
        count = max(1, min(100, int(0.2 / first)))
        warm = max(1, min(20, int(0.05 / first)))

        def timed(side):
            if self.threads > 1:
                # Threads of a pool spin for a while after their work, on the cores that the other side needs.
                time.sleep(0.5)
            if first < 5:
                side.time(warm)  # what the other side drove out of the caches comes back
            return statistics.median(side.time(count))

        # What takes minutes was timed already.
        times = [once] if first > 20 else [(timed(ours), timed(peer)) for _ in range(self.args.rounds)]
        quartiles = np.percentile([per_ours * theirs / mine for mine, theirs in times], [25, 50, 75])
        mine, theirs = (statistics.median(t[k] for t in times) * 1e3 for k in (0, 1))
        mine /= per_ours
        self.rows.append((what, peer_name, mine, theirs, *quartiles, difference))
        shown = "" if difference is None else f"   difference {difference:.1e}"
        print(f"{what:56s} {peer_name:26s} {mine:9.3f} ms {theirs:9.3f} ms   {quartiles[1]:5.2f} "
              f"[{quartiles[0]:.2f}, {quartiles[2]:.2f}]{shown}", flush=True)
        return quartiles[1]


def random_input(shape, batch, path):
    x = np.random.default_rng(2).standard_normal((batch, *shape)).astype(np.float32)
    np.save(path, x)
    return x


def layers(table, args, scratch):
    table.threads = 1
    ours = Process(args.build / "deconvnet_contestant", 1, scratch)
    own = Process(args.build / "deconvnet_contestant", 1, scratch)
    path = args.build / "onednn_contestant"
    peer = Process(path, 1, scratch) if path.exists() else None
    ratios, reverse = [], []
    for name, inputs, filters, kernel, stride, padding, size in LAYERS:
        random_input((inputs, size, size), 1, scratch / "x.npy")
        weight = np.random.default_rng(3).standard_normal((filters, inputs, kernel, kernel)) * (2 / (inputs * kernel**2)) ** 0.5
        np.save(scratch / "w.npy", weight.astype(np.float32))
        task = dict(kind="convolution", input=str(scratch / "x.npy"), weight=str(scratch / "w.npy"), **{"in": inputs}, out=filters,
                    kernel=kernel, stride=stride, padding=padding)
        mine = ours.prepare(**task, way="forward", algorithm="direct")
        if peer:
            ratios.append(table.compare(f"{name}, direct", "oneDNN direct", ours, peer, 1e-5, (mine, peer.prepare(**task))))
        own.prepare(**task, way="reverse", algorithm="direct")
        reverse.append(table.compare(f"{name}, reverse", "own forward", own, ours, 0, None))
        if kernel in (3, 5) and stride == 1 and inputs >= 16:
            fast = own.prepare(**task, way="forward", algorithm="automatic")
            table.compare(f"{name}, automatic", "own direct", own, ours, 1e-5, (fast, mine))
            if peer:
                try:
                    other = peer.prepare(**task, algorithm="winograd")
                    table.compare(f"{name}, automatic", "oneDNN Winograd", own, peer, 1e-4, (fast, other))
                except RuntimeError:
                    print(f"{name}: oneDNN has no Winograd for it here")
    for what, list_ in (("direct against oneDNN direct", ratios), ("reverse against own forward", reverse)):
        if list_:
            print(f"geometric mean, {what}: {np.exp(np.mean(np.log(list_))):.3f}, least {min(list_):.3f}", flush=True)
    for process in filter(None, (ours, own, peer)):
        process.close()


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def forward(table, args, scratch):
    for threads in args.threads:
        table.threads = threads
        ours = Process(args.build / "deconvnet_contestant", threads, scratch)
        for name in ("alexnet", "zfnet", "vgg16", "squeezenet"):
            models.build(name, scratch / "net.onnx")
            run = session(scratch / "net.onnx", threads)
            for batch in (1, 16) if name != "vgg16" else (1,):
                x = random_input(models.MODELS[name][0], batch, scratch / "x.npy")
                theirs = run.run(None, {"input": x})[0]
                mine = ours.prepare(kind="forward", model=str(scratch / "net.onnx"), input=str(scratch / "x.npy"))
                table.compare(f"{name} forward, batch {batch}, {threads} threads", "onnxruntime", ours,
                              Call(lambda: run.run(None, {"input": x})), 1e-4, (mine, theirs))
        ours.close()


def projection(table, args, scratch):
    for threads in args.threads:
        table.threads = threads
        torch.set_num_threads(threads)
        ours = Process(args.build / "deconvnet_contestant", threads, scratch)
        for name, layer in (("alexnet", "conv5"), ("vgg16", "conv5_3")):
            net, names = models.build(name, scratch / "net.onnx")
            part = net[: names.index(layer) + 1].eval()
            x = random_input(models.MODELS[name][0], 1, scratch / "x.npy")
            maps = part(torch.from_numpy(x)).detach().numpy()
            unit = [int(v) for v in np.unravel_index(maps[0].argmax(), maps[0].shape)]
            captum = Deconvolution(part)
            value = float(maps[0][tuple(unit)])
            input_ = torch.from_numpy(x).requires_grad_()

            def attribute():
                return captum.attribute(input_, target=tuple(unit))

            output = part(torch.from_numpy(x).requires_grad_())

            theirs = attribute().detach().numpy() * value  # Captum's seed is 1
            task = dict(kind="projection", model=str(scratch / "net.onnx"), input=str(scratch / "x.npy"), layer=layer,
                        units=[[0, *unit]])
            for how in ("units", "with forward"):
                # A switch that rounding decides otherwise would show in few pixels; random numbers have none so close.
                mine = ours.prepare(**task, how=how)
                label = "on a trace" if how == "units" else "forward included"
                table.compare(f"{name} {layer}, one unit, {label}, {threads} threads", "Captum Deconvolution", ours,
                              Call(attribute), 1e-3, (mine, theirs))
            del output
        models.build("zfnet", scratch / "net.onnx")
        x = random_input(models.MODELS["zfnet"][0], 1, scratch / "x.npy")
        units = [[0, c, 1 + 5 * (k // 3), 1 + 5 * (k % 3)] for c in range(256) for k in range(9)]
        task = dict(kind="projection", model=str(scratch / "net.onnx"), input=str(scratch / "x.npy"), layer="conv5")
        many = ours.prepare(**task, units=units, how="units")
        own = Process(args.build / "deconvnet_contestant", threads, scratch)
        dense = own.prepare(**task, units=units[:1], how="dense")
        table.compare(f"zfnet conv5, 256 maps x 9 units, per unit, {threads} threads", "own dense pass", ours, own, 1e-4,
                      (many[:1], dense), per_ours=len(units))
        own.close()
        ours.close()


def occlusion(table, args, scratch):
    table.threads = threads = max(args.threads)
    torch.set_num_threads(threads)
    for name in ("zfnet", "vgg16"):
        net, _ = models.build(name, scratch / "net.onnx")
        net.eval()
        x = random_input(models.MODELS[name][0], 1, scratch / "x.npy")
        ours = Process(args.build / "deconvnet_contestant", threads, scratch)
        own = Process(args.build / "deconvnet_contestant", threads, scratch)
        task = dict(kind="occlusion", model=str(scratch / "net.onnx"), input=str(scratch / "x.npy"), size=32, stride=8)
        mine = ours.prepare(**task, incremental=True)
        table.compare(f"{name} occlusion 32x32 stride 8, {threads} threads", "own dense", ours, own, 1e-3,
                      (mine, own.prepare(**task, incremental=False)))
        captum = Occlusion(lambda batch: torch.softmax(net(batch), 1))
        input_ = torch.from_numpy(x)
        calls = {}
        with torch.no_grad():
            for size in (4, 16, 48) if name == "zfnet" else (16,):
                calls[size] = Call(lambda size=size: captum.attribute(
                    input_, strides=(3, 8, 8), sliding_window_shapes=(3, 32, 32), target=0, baselines=0, perturbations_per_eval=size))
            best = next(iter(calls)) if len(calls) == 1 else min(calls, key=lambda size: calls[size].time(1)[0])
            table.compare(f"{name} occlusion 32x32 stride 8, {threads} threads", f"Captum, {best} at once", ours,
                          calls[best], 0, None)
        ours.close()
        own.close()


def training(table, args, scratch):
    for threads in args.threads:
        table.threads = threads
        torch.set_num_threads(threads)
        ours = Process(args.build / "deconvnet_contestant", threads, scratch)
        for name in ("small_zfnet", "small_alexnet"):
            labels = [k % 10 for k in range(128)]
            x = random_input(models.MODELS[name][0], 128, scratch / "x.npy")
            batch, wanted = torch.from_numpy(x), torch.tensor(labels)
            for dropout in (False, True):  # the first to be compared, the second to be timed
                net, _ = models.build(name, scratch / "net.onnx", dropout)
                net.train()
                optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)

                def step():
                    optimizer.zero_grad()
                    torch.nn.functional.cross_entropy(net(batch), wanted).backward()
                    optimizer.step()

                step()
                mine = ours.prepare(kind="training", model=str(scratch / "net.onnx"), input=str(scratch / "x.npy"), labels=labels)
                if not dropout:
                    with torch.no_grad():
                        pair = (mine, net.eval()(batch).numpy())
            difference = np.abs(pair[0].reshape(-1) - pair[1].reshape(-1)).max() / np.abs(pair[1]).max()
            if difference > 1e-3:
                raise SystemExit(f"{name}: the logits after a training step differ by {difference:.2e}")
            table.compare(f"{name} training step, batch 128, {threads} threads", "PyTorch", ours, Call(step), 0, None)
        ours.close()


def main():
    parts = {"layers": layers, "forward": forward, "projection": projection, "occlusion": occlusion, "training": training}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(parts), help=", ".join(parts))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", default="1,2")
    args = parser.parse_args()
    args.threads = [int(k) for k in args.threads.split(",")]
    table = Table(args)
    print(f"onnxruntime {onnxruntime.__version__}, torch {torch.__version__}, {os.cpu_count()} cores\n"
          f"{'work':56s} {'against':26s} {'ours':>12s} {'theirs':>12s}   ratio [quartiles]", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in args.only.split(","):
            parts[name](table, args, pathlib.Path(scratch))
            gc.collect()


if __name__ == "__main__":
    main()
