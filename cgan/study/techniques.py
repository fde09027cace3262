"""Every loss and every technique against one small baseline on MNIST. A table, and as long as it has rows.

The baseline is what train.py's presets grew from, without any penalty, auxiliary classifier or decay: the
non-saturating loss, batch norm in the generator, none in the discriminator, a projection head, averaging.
"""

from __future__ import annotations

from cgan.conditions.label import Label
from cgan.config import AdamOptions, Config, TrainingOptions
from cgan.data.vision import MNIST
from cgan.losses.bce import BCE
from cgan.networks import DiscriminatorOptions, GeneratorOptions
from cgan.study.base import BASELINE, Row, Study

LOSS, NORM, PENALTY, SHAPE = "Losses", "Normalisation", "Penalties and bounds", "Networks"
COURSE, DATA, LESSON = "Course of training", "What the networks see", "Going wrong"
GROUPS = ("Baseline", LOSS, NORM, PENALTY, SHAPE, COURSE, DATA, LESSON)

ADAM = AdamOptions(lr=2e-3, beta1=0.0, beta2=0.99)
SMALL = Config(
    dataset=MNIST(),
    condition=Label(),
    generator=GeneratorOptions(block="upsample", widths=(16, 32), to_image="transposed", noise_dim=32),
    discriminator=DiscriminatorOptions(widths=(16, 32, 64), head="projection"),
    loss=BCE(),
    training=TrainingOptions(
        kimg=300,
        batch=128,
        threads=1,
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        checkpoint_kimg=100,
        evaluate_kimg=75,
        snapshots=0,
    ),
)

ROWS = (
    Row(
        BASELINE,
        "Baseline",
        "Baseline",
        {},
        "Goodfellow et al. 2014",
        "The non-saturating loss: the generator maximises log D(G(z)), and learns most where it fools least.",
    ),
    # ---- losses
    Row(
        "minimax",
        "Minimax cross-entropy",
        LOSS,
        {"loss.saturating": "true"},
        "Goodfellow et al. 2014, equation 1",
        "The generator minimises log(1 - D(G(z))), whose gradient fades where the discriminator is sure.",
    ),
    Row(
        "lsgan",
        "Least squares",
        LOSS,
        {"loss": "lsgan"},
        "Mao et al. 2017",
        "Squares the distance of a verdict from its target, so even pictures judged real are pulled to it.",
    ),
    Row(
        "wgan-clip",
        "Wasserstein, clipped weights",
        LOSS,
        {"loss": "wasserstein", "training.clip_weights": "0.03"},
        "Arjovsky, Chintala & Bottou 2017",
        "The critic estimates a distance between distributions; clipping its weights keeps it from growing "
        "without bound. The paper gives the critic five steps for each of the generator's and uses RMSProp; "
        "this row one step, and Adam.",
    ),
    Row(
        "wgan-gp",
        "Wasserstein, gradient penalty",
        LOSS,
        {"loss": "wasserstein", "regularizers.gradient-penalty.weight": "10"},
        "Gulrajani et al. 2017",
        "Holds the critic's slope near 1 between real and generated pictures; its weights stay free. The "
        "paper gives the critic five steps for each of the generator's, this row one.",
    ),
    Row(
        "hinge",
        "Hinge",
        LOSS,
        {"loss": "hinge"},
        "Lim & Ye 2017",
        "The discriminator stops learning from pictures that it judges with a margin to spare.",
    ),
    Row(
        "relativistic",
        "Relativistic, R1 and R2",
        LOSS,
        {
            "loss": "relativistic",
            "regularizers.r1.weight": "0.1",
            "regularizers.r2.weight": "0.1",
        },
        "Huang et al. 2024",
        "Judges pairs, whether the real picture looks more real than the generated one, with both gradient "
        "penalties: compare it with R1 and R2 alone.",
    ),
    # ---- the techniques asked for most
    Row(
        "label-smoothing",
        "Label smoothing",
        PENALTY,
        {"loss.real_target": "0.9", "loss.fake_target": "0.1"},
        "Salimans et al. 2016, section 3.4",
        "Targets of 0.9 and 0.1 instead of 1 and 0 take away the reward for being ever surer; the paper "
        "smooths the real one only.",
    ),
    Row(
        "spectral",
        "Spectral norm in the discriminator",
        NORM,
        {"discriminator.norm": "spectral"},
        "Miyato et al. 2018",
        "Divides each layer's weight by its largest singular value, which bounds the network's slope.",
    ),
    Row(
        "r1",
        "R1 penalty",
        PENALTY,
        {"regularizers.r1.weight": "0.1"},
        "Mescheder, Geiger & Nowozin 2018, equation 9",
        "Penalises the discriminator's slope at real pictures, on one step in 16.",
    ),
    Row(
        "auxiliary",
        "Auxiliary classifier",
        SHAPE,
        {"regularizers.auxiliary.weight": "0.2"},
        "Odena, Olah & Shlens 2017",
        "A second head reads the label; the generator is paid for labels that can be read.",
    ),
    Row(
        "layer-norm",
        "Layer norm in the discriminator",
        NORM,
        {"discriminator.norm": "layer"},
        "Ba, Kiros & Hinton 2016",
        "Normalises every picture by its own activations alone, whatever else is in the batch.",
    ),
    Row(
        "batch-norm-d",
        "Batch norm in the discriminator",
        NORM,
        {"discriminator.norm": "batch"},
        "Ioffe & Szegedy 2015",
        "Normalises by the batch, real and generated apart, so a verdict depends on the picture's company.",
    ),
    Row(
        "no-norm-g",
        "No batch norm in the generator",
        NORM,
        {"generator.norm": "none"},
        "Ioffe & Szegedy 2015",
        "Leaves the generator's activations at whatever scale the weights give them.",
    ),
    Row(
        "virtual-batch-norm",
        "Virtual batch norm in the generator",
        NORM,
        {"generator.norm": "virtual"},
        "Salimans et al. 2016, section 3.5",
        "Normalises by a reference batch fixed at the start, so that pictures of a batch do not sway each "
        "other.",
    ),
    Row(
        "spectral-both",
        "Spectral norm in both networks",
        NORM,
        {"discriminator.norm": "spectral", "generator.norm": "spectral"},
        "Miyato et al. 2018; Zhang et al. 2019",
        "Bounds the generator's weights too, all but the first layer's, in place of its batch norm.",
    ),
    Row(
        "attention-g",
        "Self-attention in the generator",
        SHAPE,
        {"generator.attention": "14"},
        "Zhang et al. 2019",
        "Lets each of the 14 x 14 places look at all others, where a convolution sees its neighbours.",
    ),
    Row(
        "attention-d",
        "Self-attention in the discriminator",
        SHAPE,
        {"discriminator.attention": "14"},
        "Zhang et al. 2019",
        "Lets the discriminator compare distant places of a picture at 14 x 14.",
    ),
    Row(
        "two-discriminators",
        "Two discriminators, mean",
        SHAPE,
        {"discriminator.count": "2"},
        "Durugkar, Gemp & Mahadevan 2017",
        "Two critics with weights of their own; the generator learns from the mean of both.",
    ),
    Row(
        "three-discriminators",
        "Three discriminators, hardest",
        SHAPE,
        {"discriminator.count": "3", "discriminator.combine": "hardest"},
        "Durugkar, Gemp & Mahadevan 2017",
        "Of three critics the generator learns, picture by picture, from the one that it fools least.",
    ),
    Row(
        "multi-scale",
        "Discriminators at two scales",
        SHAPE,
        {"discriminator.count": "2", "discriminator.multi_scale": "true"},
        "Wang et al. 2018",
        "A second critic sees the picture at half its size and judges the whole rather than the stroke.",
    ),
    Row(
        "diffaugment",
        "DiffAugment",
        DATA,
        {"augment.translation": "0.1", "augment.cutout": "0.2"},
        "Zhao et al. 2020",
        "Shifts and cuts real and generated pictures alike before they are judged; made for small data sets.",
    ),
    Row(
        "clip-gradients",
        "Gradient clipping",
        PENALTY,
        {"training.clip_gradients": "1"},
        "Pascanu, Mikolov & Bengio 2013",
        "Scales a gradient back to norm 1 where it is longer; Adam rescales what is left in any case.",
    ),
    Row(
        "r2",
        "R2 penalty",
        PENALTY,
        {"regularizers.r2.weight": "0.1"},
        "Mescheder, Geiger & Nowozin 2018, equation 10",
        "Penalises the discriminator's slope at generated pictures, on one step in 16.",
    ),
    Row(
        "two-time-scales",
        "Two time scales",
        COURSE,
        {"training.generator_optimizer.lr": "0.0005"},
        "Heusel et al. 2017",
        "The generator learns at a quarter of the discriminator's rate, so the critic stays near its best.",
    ),
    Row(
        "two-steps",
        "Two discriminator steps",
        COURSE,
        {"training.discriminator_steps": "2"},
        "Goodfellow et al. 2014, algorithm 1",
        "Two steps of the discriminator for each of the generator's, which moves half as often for as many "
        "pictures.",
    ),
    Row(
        "no-average",
        "No averaging",
        COURSE,
        {"training.ema_kimg": "0"},
        "Yazici et al. 2019",
        "Draws with the generator's last weights instead of their running average.",
    ),
    Row(
        "decay",
        "Falling learning rates",
        COURSE,
        {"training.decay_kimg": "200"},
        "Radford, Metz & Chintala 2016, for the optimiser",
        "Both learning rates fall to 0 over the last two thirds.",
    ),
    Row(
        "momentum",
        "Momentum 0.5",
        COURSE,
        {"training.generator_optimizer.beta1": "0.5", "training.discriminator_optimizer.beta1": "0.5"},
        "Radford, Metz & Chintala 2016",
        "DCGAN's momentum: each player keeps half of its last direction while the other moves on.",
    ),
    Row(
        "condition-dropout",
        "Condition dropout",
        DATA,
        {"training.condition_dropout": "0.1"},
        "Ho & Salimans 2022",
        "Withholds one label in ten, so that the generator learns to do without, as guidance needs.",
    ),
    Row(
        "minibatch-std",
        "Minibatch standard deviation",
        DATA,
        {"discriminator.minibatch_std": "true"},
        "Karras et al. 2018, section 3",
        "Shows the discriminator how much pictures of a batch differ, so that a lack of variety is seen.",
    ),
    Row(
        "concat",
        "Concatenated label",
        SHAPE,
        {"discriminator.head": "concat", "discriminator.hidden": "128"},
        "Mirza & Osindero 2014",
        "The label joins the flattened features before a layer of 128, as in the article, not by projection.",
    ),
    Row(
        "dropout",
        "Dropout in the discriminator",
        PENALTY,
        {"discriminator.dropout": "0.3"},
        "Srivastava et al. 2014",
        "Hides three features in ten from each verdict, which keeps the discriminator from being too sure.",
    ),
    Row(
        "together",
        "Several together",
        COURSE,
        {
            "regularizers.r1.weight": "0.1",
            "regularizers.auxiliary.weight": "0.2",
            "training.decay_kimg": "200",
        },
        "the preset mnist",
        "R1, the auxiliary classifier and falling learning rates at once, as the preset mnist has them.",
    ),
    # ---- lessons
    Row(
        "collapse",
        "No norm, learning rates ten times as high",
        LESSON,
        {
            "generator.norm": "none",
            "training.generator_optimizer.lr": "0.02",
            "training.discriminator_optimizer.lr": "0.02",
        },
        "Goodfellow et al. 2014, section 6",
        "Both players overshoot, and with no norm to bring its activations back the generator can end at "
        "pictures that the noise no longer changes: collapse.",
    ),
    Row(
        "discriminator-wins",
        "Minimax, discriminator ten times as quick",
        LESSON,
        {"loss.saturating": "true", "training.discriminator_optimizer.lr": "0.02"},
        "Goodfellow et al. 2014, section 3",
        "A discriminator that is sure of every picture leaves the generator of the minimax loss without a "
        "gradient to learn from.",
    ),
    Row(
        "unbounded-critic",
        "Wasserstein without a bound",
        LESSON,
        {
            "loss": "wasserstein",
            "regularizers.r1.weight": "1e-9",
            "training.generator_optimizer.lr": "0.02",
            "training.discriminator_optimizer.lr": "0.02",
        },
        "Arjovsky, Chintala & Bottou 2017, section 3",
        "Nothing holds the critic's slope, so at a high learning rate verdicts and gradients grow and grow; "
        "R1 at 1e-9 is there only because train.py asks for a bound.",
    ),
)

TECHNIQUES = Study(name="techniques", baseline=SMALL, rows=ROWS)
