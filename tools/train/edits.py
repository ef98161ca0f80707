"""Which edits a training view gets: a light one for the flagged side, one to three of any kind for the upload's side."""

import edit_geometry as geo
import edit_overlays as over
import edit_pixels as px

MIN_SIDE = 16

# name: (weight, function of picture, rng, other). Weights are relative; what is hard and listed is drawn more often.
HEAVY = {
    "jpeg": (0.6, lambda i, r, o: px.jpeg(i, r)),
    "rescale": (0.5, lambda i, r, o: px.rescale(i, r)),
    "pixelate": (0.5, lambda i, r, o: px.pixelate(i, r)),
    "grey": (0.6, lambda i, r, o: px.grey(i, r)),
    "sepia": (0.5, lambda i, r, o: px.sepia(i, r)),
    "negative": (1.0, lambda i, r, o: px.negative(i, r)),
    "light": (0.7, lambda i, r, o: px.light(i, r)),
    "gamma": (0.5, lambda i, r, o: px.gamma(i, r)),
    "hue": (0.8, lambda i, r, o: px.hue(i, r)),
    "tint": (0.4, lambda i, r, o: px.tint(i, r)),
    "posterize": (0.3, lambda i, r, o: px.posterize(i, r)),
    "autocontrast": (0.3, lambda i, r, o: px.autocontrast(i, r)),
    "blur": (0.5, lambda i, r, o: px.blur(i, r)),
    "sharpen": (0.2, lambda i, r, o: px.sharpen(i, r)),
    "noise": (0.6, lambda i, r, o: px.noise(i, r)),
    "crop": (2.5, lambda i, r, o: geo.crop(i, r)),
    "centre crop": (1.5, lambda i, r, o: geo.centre_crop(i, r)),
    "corner crop": (1.5, lambda i, r, o: geo.corner_crop(i, r)),
    "stretch": (0.4, lambda i, r, o: geo.stretch(i, r)),
    "rotate": (2.5, lambda i, r, o: geo.rotate(i, r)),
    "mirror": (0.3, lambda i, r, o: geo.mirror(i, r)),
    "perspective": (2.0, lambda i, r, o: geo.perspective(i, r)),
    "border": (1.2, lambda i, r, o: geo.border(i, r)),
    "phone": (1.5, lambda i, r, o: geo.phone(i, r)),
    "inset": (1.6, lambda i, r, o: geo.inset(i, r, o)),
    "beside": (2.0, lambda i, r, o: geo.beside(i, r, o)),
    "caption bar": (2.2, lambda i, r, o: over.caption_bar(i, r)),
    "impact": (1.6, lambda i, r, o: over.impact(i, r)),
    "watermark": (0.8, lambda i, r, o: over.watermark(i, r)),
    "sticker": (2.0, lambda i, r, o: over.sticker(i, r, other=o)),
    "checkerboard": (1.5, lambda i, r, o: over.checkerboard(i, r)),
    "screen photo": (1.5, lambda i, r, o: over.screen_photo(i, r)),
}
NOT_ON_DEVICE = ("jpeg", "posterize", "autocontrast", "hue", "sharpen", "mirror", "phone", "caption bar", "impact", "watermark", "sticker",
                 "screen photo")
LIGHT = {
    "jpeg": (1.0, lambda i, r, o: px.jpeg(i, r, (30, 95))),
    "rescale": (1.0, lambda i, r, o: px.rescale(i, r, (0.4, 0.9))),
    "light": (1.0, lambda i, r, o: px.light(i, r, (0.8, 1.2), (0.8, 1.25))),
    "gamma": (0.5, lambda i, r, o: px.gamma(i, r, (0.7, 1.5))),
    "hue": (0.5, lambda i, r, o: px.hue(i, r, (-0.05, 0.05), (0.7, 1.4))),
    "grey": (0.3, lambda i, r, o: px.grey(i, r)),
    "blur": (0.5, lambda i, r, o: px.blur(i, r, (0.002, 0.008))),
    "crop": (1.5, lambda i, r, o: geo.crop(i, r, (0.65, 0.97))),
    "watermark": (0.3, lambda i, r, o: over.watermark(i, r, False)),
    "border": (0.3, lambda i, r, o: geo.border(i, r, (0.02, 0.08))),
}


def _choose(table, rng, count):
    names = list(table)
    weights = [table[n][0] for n in names]
    chosen = []
    while len(chosen) < count:
        name = rng.choices(names, weights)[0]
        if name not in chosen:
            chosen.append(name)
    return chosen


def apply(img, rng, table, count, other):
    for name in _choose(table, rng, count):
        img = table[name][1](img, rng, other)
        if min(img.size) < MIN_SIDE:
            img = img.resize((max(MIN_SIDE, img.width), max(MIN_SIDE, img.height)))
    return img


def flagged_view(img, rng, other):
    """The flagged side: the picture as it is, or hardly changed."""
    return img if rng.random() < 0.4 else apply(img, rng, LIGHT, 1, other)


def upload_view(img, rng, other, on_device=False):
    """The upload's side: one to three edits; or, where device_edits does the rest, at most one of those that it lacks."""
    if on_device:
        return apply(img, rng, {k: HEAVY[k] for k in NOT_ON_DEVICE}, rng.randint(0, 1), other)
    return apply(img, rng, HEAVY, rng.choices((1, 2, 3), (0.5, 0.33, 0.17))[0], other)
