"""python3 -m unittest (in this folder): what the rest relies on, in a few seconds."""

import contextlib
import io
import os
import random
import sys
import tempfile
import unittest
from unittest import mock

import numpy as np
import torch
from PIL import Image

import data
import device_edits
import draw
import edits
import export
import prune
import suite
import views
from losses import info_nce, koleo
from network import CopyNet, macs
from quantised import LEVELS, Convolution, Rounded, quantise


def other():
    return draw.leaves(random.Random(3))


class Pictures(unittest.TestCase):
    def test_every_edit_gives_a_picture_of_any_size(self):
        for size in ((160, 100), (40, 150), (17, 17)):
            img = Image.effect_noise(size, 50).convert("RGB")
            for name, (_, edit) in {**edits.HEAVY, **edits.LIGHT}.items():
                for seed in range(5):
                    with self.subTest(edit=name, size=size, seed=seed):
                        out = edit(img, random.Random(seed), other)
                        self.assertEqual(out.mode, "RGB")
                        self.assertGreaterEqual(min(out.size), 8)

    def test_edits_on_the_device_stay_pictures(self):
        torch.manual_seed(1)
        x = torch.rand(32, 3, 64, 64)
        out = device_edits.upload_views(x, x.flip(0))
        self.assertEqual(out.shape, x.shape)
        self.assertTrue(((out >= 0) & (out <= 1)).all())
        self.assertFalse(torch.equal(out, x))
        torch.testing.assert_close(device_edits.warp(x, torch.eye(3).repeat(32, 1, 1)), x, atol=1e-4, rtol=0)

    def test_the_suite_has_the_38_edits(self):
        self.assertEqual([len(g) for g in suite.GROUPS.values()], [11, 15, 12])
        for group in suite.GROUPS.values():
            for edit in group.values():
                self.assertEqual(edit(draw.scene(random.Random(1)), random.Random(2), other).mode, "RGB")

    def test_borders_are_trimmed_and_only_borders(self):
        inner = draw.leaves(random.Random(1))
        framed = Image.new("RGB", (inner.width + 40, inner.height + 60))
        framed.paste(inner, (20, 30))
        cut = views.trimmed(framed)
        self.assertLessEqual(abs(cut.width - inner.width) + abs(cut.height - inner.height), 8)
        self.assertIsNone(views.trimmed(inner))


class Batches(unittest.TestCase):
    def test_a_batch_follows_from_seed_and_step(self):
        make = lambda seed, step: data.Batches({}, 16, 64, seed)[step]
        self.assertTrue(torch.equal(make(1, 5)[0], make(1, 5)[0]))
        self.assertFalse(torch.equal(make(1, 5)[0], make(1, 6)[0]))
        self.assertFalse(torch.equal(make(1, 5)[0], make(2, 5)[0]))

    def test_the_validation_part_is_contiguous_and_apart(self):
        train, held = data.split({"a": list(range(100))})
        self.assertEqual(held["a"], list(range(held["a"][0], held["a"][0] + 10)))
        self.assertEqual(sorted(train["a"] + held["a"]), list(range(100)))


class Network(unittest.TestCase):
    def test_budget(self):
        net = CopyNet()
        self.assertLessEqual(macs(net, 128), 150e6)
        self.assertLessEqual(2 * sum(p.numel() for p in net.parameters()), 8e6)
        self.assertLessEqual(macs(CopyNet(inner=prune.INNER), 128), 60e6)  # what ships


def small_net(inner=None):
    """A network with statistics and blocks that do something, and pictures for it."""
    torch.manual_seed(1)
    net, x = CopyNet(widths=(16, 32), blocks=(1, 1), dim=16, inner=inner), torch.randn(32, 3, 32, 32)
    for block in prune.residuals(net):
        torch.nn.init.uniform_(block.bn2.weight, 0.5, 1)
    for _ in range(100):
        net(x)
    return net.eval(), x


class Folder(unittest.TestCase):
    def test_an_exported_network_is_read_back(self):
        net, x = small_net()
        with tempfile.TemporaryDirectory() as path, contextlib.redirect_stdout(io.StringIO()):
            checkpoint = os.path.join(path, "net.pt")
            torch.save({"net": net.state_dict(), "config": net.config, "step": 3, "size": 32}, checkpoint)
            export.export(checkpoint, path, rows=8)
            got, state = export.load(path)
        self.assertEqual((got.config, state), (net.config, {"size": 32, "step": 3}))
        with torch.no_grad():
            self.assertLess(1 - (got(x) * net(x)).sum(1).min().item(), 1e-3)


class Quantising(unittest.TestCase):
    def test_integers_give_nearly_the_same_vectors(self):
        net, x = small_net()
        small = quantise(net, [x[:16]])
        with torch.no_grad():
            wanted, got = net(x), small(x)
        self.assertLess(1 - (wanted * got).sum(1).min().item(), 5e-3)
        self.assertFalse(torch.equal(wanted, got))
        np.testing.assert_allclose(got.norm(dim=1), 1, atol=1e-5)

    def test_weights_have_seven_bits_and_a_scale_for_each_channel(self):
        net, x = small_net()
        small, weights = quantise(net, [x]), 0
        for m in small.modules():
            if isinstance(m, Convolution):
                self.assertEqual(m.weight.dtype, torch.int8)
                self.assertEqual(m.weight.abs().amax(dim=(1, 2, 3)).unique().tolist(), [LEVELS])
                weights += 1
            if isinstance(m, Rounded):
                self.assertGreater(m.scale, 0)
        self.assertEqual(weights, 5)

    def test_rounding_cuts_off_what_is_rare(self):
        step = Rounded()
        seen = torch.cat([torch.linspace(0, 1, 60000), torch.tensor([1.05])])
        self.assertTrue(torch.equal(step(seen), seen), "until it is settled")
        step.settle()
        self.assertLess(255 * step.scale, 1.04)
        np.testing.assert_allclose(step(torch.tensor([-1.0, 5.0])), [0, 255 * step.scale], rtol=1e-6)


class Pruning(unittest.TestCase):
    def test_channels_that_others_tell_cost_nothing(self):
        net, x = small_net()
        with torch.no_grad():
            for block in prune.residuals(net):
                half = block.conv1.out_channels // 2
                for each in (block.conv1.weight, block.bn1.weight, block.bn1.bias, block.bn1.running_mean, block.bn1.running_var):
                    each[half:] = each[:half]
                block.conv2.weight[:, half:] *= 0.3  # less energy, but not nothing
            before = prune.prune(net, [16, 32], [x])
            after = prune.prune(net, [8, 16], [x], ridge=1e-9)
            wanted = net(x)
            torch.testing.assert_close(before(x), wanted)
            torch.testing.assert_close(after(x), wanted, atol=1e-4, rtol=0)
        self.assertEqual(after.config["inner"], [8, 16])
        self.assertLess(macs(after, 32), macs(net, 32))

    def test_rebuilding_beats_leaving_out(self):
        net, x = small_net()
        with torch.no_grad():
            wanted = net(x)
            away = [1 - (n(x) * wanted).sum(1).mean() for n in (prune.prune(net, [8, 16], [x], ridge) for ridge in (1e-4, 1e9))]
        self.assertLess(away[0], away[1])

    def test_more_channels_than_there_are_are_refused(self):
        net, x = small_net()
        for inner in ([8], [8, 33]):
            with self.assertRaisesRegex(SystemExit, "none of them larger"):
                prune.prune(net, inner, [x])

    def test_the_command_writes_a_checkpoint_that_loads(self):
        net, _ = small_net()
        with tempfile.TemporaryDirectory() as folder:
            full, out = os.path.join(folder, "full.pt"), os.path.join(folder, "small.pt")
            torch.save({"net": net.state_dict(), "config": net.config, "step": 3, "size": 32}, full)
            flags = ["prune.py", full, out, "--inner", "8", "16", "--minutes", "0.05", "--pairs", "8", "--statistics", "2"]
            with mock.patch.object(sys, "argv", flags), contextlib.redirect_stdout(io.StringIO()):
                prune.main()
            got, state = export.load(out)
        self.assertEqual(got.config["inner"], [8, 16])
        self.assertGreater(state["step"], 3)

    def test_a_checkpoint_without_a_config_is_of_full_width(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "old.pt")
            torch.save({"net": CopyNet().state_dict(), "step": 1, "size": 128}, path)
            net, _ = export.load(path)
        self.assertEqual(net.config["inner"], [32, 64, 192, 256, 256])


class Losses(unittest.TestCase):
    def test_twins_that_agree_cost_less(self):
        eye = torch.nn.functional.normalize(torch.randn(8, 16, generator=torch.Generator().manual_seed(1)), dim=1)
        identity = torch.arange(8).repeat(2)
        good, good_pooled, found = info_nce(torch.cat([eye, eye]), identity, 0.05)
        bad, bad_pooled, _ = info_nce(torch.cat([eye, eye.roll(1, 0)]), identity, 0.05)
        self.assertLess(good.item(), bad.item())
        self.assertLess(good_pooled.item(), bad_pooled.item())
        self.assertEqual(found.item(), 1)

    def test_equal_identities_are_no_negatives(self):
        same = torch.nn.functional.normalize(torch.ones(4, 8), dim=1)
        loss, _, _ = info_nce(same, torch.zeros(4, dtype=torch.int64), 0.05)
        self.assertAlmostEqual(loss.item(), 0, places=5)

    def test_spread_vectors_cost_less(self):
        identity = torch.arange(4)
        self.assertLess(koleo(torch.eye(4, 8), identity).item(), koleo(torch.ones(4, 8) / 8 ** 0.5, identity).item())


if __name__ == "__main__":
    unittest.main()
