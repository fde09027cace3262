"""Every string of the page by key. `{name}` stands for a value that is filled in.

The HTML carries the key beside the English text, the script has the table; another language is another table.
"""

from __future__ import annotations

from html import escape

ENGLISH: dict[str, str] = {
    "title": "Conditional GAN Explorer",
    "tagline": "A generator turns noise and a label into a picture. Drag, choose, and watch it follow.",
    "model": "Model",
    "tabs": "Ways to explore",
    "picture": "Live picture",
    "copy": "Copy link",
    "copied": "Link copied",
    "copy_failed": "The link is in the address bar",
    "save_png": "Save PNG",
    "save_gif": "Save GIF",
    "save_strip": "Save film strip",
    "seed": "Seed",
    "dice": "New random seed",
    "reset": "Reset",
    "psi": "Truncation ψ",
    "strength": "Strength",
    "strength_hint": "Strength 1 asks for the label as it is, 0 for none; beyond 1, "
    "for more than it was ever trained on.",
    "count": "Pictures",
    "directions": "Leading directions",
    "components": "Raw z components",
    "direction": "Direction {n}",
    "component": "z[{n}]",
    "unset": "seed",
    "noise": "Noise",
    "sample": "Picture {n} of this seed",
    "sample_clear": "Back to the first",
    "start": "From",
    "end": "To",
    "path": "Path",
    "slerp": "slerp",
    "lerp": "lerp",
    "scrub": "Position between the ends",
    "play": "Play",
    "pause": "Pause",
    "strip": "Film strip from one end to the other",
    "rows": "Noises",
    "new_noises": "New noises",
    "transpose": "Swap rows and columns",
    "cell": "{label}, noise {n}: open in Generate",
    "described": "Generated picture: {what}",
    "described_grid": "Grid of generated pictures: {what}",
    "generate": "Generate",
    "generate_hint": "Drag a direction: the label stays, the style changes. Then keep the noise and change "
    "the label: the style carries over. A smaller ψ gives more typical, less varied pictures.",
    "interpolate": "Interpolate",
    "interpolate_hint": "Move between two ends. Noise and label change together, and the pictures on the way "
    "are new ones, not blends of the two.",
    "conditioning": "Conditioning",
    "conditioning_hint": "The same noises under every label: pictures of one noise share their style, "
    "pictures of one label their content. Pick a picture to play with it.",
    "card": "Model card",
    "card_hint": "What this model was measured to do, beside the same figures of real pictures it never saw.",
    "card_none": "This model has not been measured in full. “python -m cgan evaluate” with --record "
    "writes the figures that are shown here.",
    "card_odd": "The figures of this model are not in the form that this card reads.",
    "card_safe": "The judge reads these pictures better than real ones ({judge}). That can mean a model "
    "that plays safe, so look at variety too:",
    "card_recall_low": "recall is {recall} of what fresh real pictures score. The pictures leave out part of "
    "the variety of the real ones.",
    "card_recall_high": "recall is {recall} of what fresh real pictures score. The pictures are about as "
    "varied as real ones.",
    "card_figures": "Figures",
    "card_figure": "Figure",
    "card_generated": "Generated",
    "card_real": "Real",
    "card_ratio": "Ratio",
    "card_measured": "Mean ± standard deviation of {seeds} sample seeds of {count} pictures. Real: as many "
    "test pictures. Both distances are to the training set in the features of {features}, our own "
    "classifier; neither is the usual FID or KID.",
    "card_obedience": "Obedience ↑",
    "card_obedience_means": "How well an independent classifier reads from the picture what was asked for",
    "card_usefulness": "Usefulness ↑",
    "card_usefulness_means": "Accuracy on real pictures of a classifier taught by generated ones alone",
    "card_frechet": "Fréchet distance ↓",
    "card_frechet_means": "Distance of two Gaussians in our features",
    "card_kernel": "Kernel distance ↓",
    "card_kernel_means": "Squared maximum mean discrepancy in our features; about 0 for real pictures",
    "card_precision": "Precision ↑",
    "card_precision_means": "Share of generated pictures that lie among the real ones",
    "card_recall": "Recall ↑",
    "card_recall_means": "Share of real pictures that lie among the generated ones",
    "card_density": "Density ↑",
    "card_density_means": "How closely real pictures surround the generated ones",
    "card_coverage": "Coverage ↑",
    "card_coverage_means": "Share of real pictures that have a generated one nearby",
    "card_variety": "Variety",
    "card_variety_means": "Spread within a class over that of the training set",
    "card_nearest": "Nearest distance",
    "card_nearest_means": "From a generated picture to the nearest training picture, on average",
    "card_copies": "Near copies",
    "card_copies_means": "Share unusually near to a training picture; 1 % of real ones are, by definition",
    "card_inception": "FID (Inception-v3) ↓",
    "card_inception_means": "The standard FID, in the features of Inception-v3",
    "card_confusion": "Asked for and read",
    "card_axes": "Rows: the label asked for. Columns: the label read by the judge. Per cent.",
    "card_pick": "Point at a cell to read it.",
    "card_cell": "Asked for {asked}, read as {read}: {share}",
    "card_curves": "How it got there",
    "card_axis": "thousand pictures seen (kimg)",
    "card_curve": "{what} from {first} to {last} at {kimg} kimg",
    "card_frechet_ratio": "Fréchet distance over the real floor",
    "card_obedience_curve": "Obedience (higher is better)",
    "card_frechet_ratio_curve": "Fréchet distance ÷ floor (lower is better, log)",
    "card_judge": "judge on real pictures",
    "card_floor": "real pictures",
    "card_made": "Made by",
    "card_command": "Command",
    "card_commit": "Commit",
    "card_hardware": "Hardware",
    "card_kimg": "Pictures seen (thousands)",
    "card_minutes": "Minutes",
    "busy": "The server is busy. The last picture stays; trying again …",
    "offline": "The server can't be reached. The last picture stays; trying again …",
    "refused": "The server can't make this picture: {why}",
    "no_model": "This server has no model named {name}. It has: {names}.",
}


def say(key: str) -> str:
    """The text of `key` for an attribute, escaped."""
    return escape(ENGLISH[key])


def text(key: str) -> str:
    """The text of `key` as HTML that another language can replace."""
    return f'<span data-text="{key}">{say(key)}</span>'
