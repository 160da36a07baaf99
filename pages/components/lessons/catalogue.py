"""The lessons: sequences of steps on the app's pages, each with a question.

A step's link sets the page, the model and the point. A field {name[figure]:format} in a text takes the figure from the
model's card when the text is shown.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    page: str  # "sliders"
    link: dict[str, str]  # query parameters; "model" is required
    instruction: str
    question: str
    answers: tuple[str, ...]
    correct: int  # index of the answer
    reveal: str  # the explanation shown after an answer
    settings: dict[str, object] = field(default_factory=dict)  # values of the page's widgets, by key


@dataclass(frozen=True)
class Lesson:
    title: str
    about: str
    minutes: int
    steps: tuple[Step, ...]


LESSONS = {
    "why": Lesson(
        "Why a distribution?",
        "An autoencoder gives every image a point. Why a VAE gives it a cloud.",
        8,
        (
            Step(
                "map",
                {"model": "mnist-ae-2d"},
                "An **autoencoder** that knows a digit by two numbers. Each dot is the code of a held-out image. Zoom "
                "out, and move "
                "over the empty ground.",
                "What holds its codes together?",
                ("Nothing: some lie far out, with empty ground between", "A circle about the middle", "A grid"),
                0,
                "It gives every image a **point**, wherever reconstruction likes it, and nothing ever asked what lies "
                "between two "
                "points. What is decoded on empty ground is nobody's digit.",
                {"map_kind_dims_4": "dims"},
            ),
            Step(
                "sample",
                {"model": "mnist-ae-16d", "seed": "3"},
                "An autoencoder with sixteen numbers. It has no prior to draw from, so these are draws from a "
                "Gaussian with the "
                "mean and spread of its codes. Press *Draw again* a few times.",
                "Why are so many of them no digits?",
                (
                    "Its decoder is too small",
                    "Its codes fill only parts of that Gaussian, and nothing asked them to fill it",
                    "The seed is unlucky",
                ),
                1,
                "Its reconstructions are better than those of the VAE with the same networks: "
                "{mnist-ae-16d[recon]:.0f} nats against "
                "{mnist-vae-16d[recon]:.0f}. But a good encoder and a good decoder are not yet a space to draw from.",
                {"sample_temperature": 1.0},
            ),
            Step(
                "inside",
                {"model": "mnist-vae-2d"},
                "The VAE. **Draw a digit** and watch the pink ellipse on the plane while the pen moves.",
                "What does the encoder say of one image?",
                ("A point", "A centre and a width in each dimension", "The name of a digit"),
                1,
                "$q(z|x) = \\mathcal N(\\mu, \\mathrm{{diag}}\\,\\sigma^2)$: a distribution. Every place in the "
                "ellipse must decode to this image, "
                "so neighbouring places must look alike: that is what fills the gaps.",
            ),
            Step(
                "inside",
                {"model": "mnist-vae-2d"},
                "Press **Redraw ε** some ten times. The white dot is $z$.",
                "What stays as it is when ε is drawn anew?",
                ("z", "μ and σ", "The decoded picture"),
                1,
                "$z = \\mu + \\sigma \\odot \\varepsilon$ is the **reparametrisation trick**: chance enters from "
                "outside, by ε, so that "
                "gradients can flow through μ and σ. Touch the formula's parts to see the very code that does it.",
            ),
            Step(
                "sample",
                {"model": "mnist-vae-16d", "seed": "3"},
                "Sixteen numbers again, the networks of the autoencoder, but trained **as a VAE**: draws from N(0, "
                "I).",
                "Why are more of these digits?",
                (
                    "The KL term drew the clouds of all images together, towards N(0, I)",
                    "The VAE's networks are larger",
                    "They are training images",
                ),
                0,
                "The VAE pays {mnist-vae-16d[kl]:.1f} nats an image for saying where it lies, and so spreads its "
                "codes as N(0, I) is "
                "spread, nearly. That is what makes the space usable.",
                {"sample_temperature": 1.0},
            ),
        ),
    ),
    "kl": Lesson(
        "What the KL does",
        "The two terms of the bound, what each costs, and what happens when one weighs too much.",
        8,
        (
            Step(
                "inside",
                {"model": "mnist-vae-16d"},
                "Sixteen numbers a digit. Draw one, and read **the ledger**.",
                "On average over test images: which term is the larger?",
                ("The reconstruction", "The KL"),
                0,
                "Reconstruction {mnist-vae-16d[recon]:.1f} nats, KL {mnist-vae-16d[kl]:.1f}. Of the first, "
                "{mnist-vae-16d[recon_floor]:.1f} cannot be had for less: grey pixels are uncertain in themselves.",
            ),
            Step(
                "inside",
                {"model": "mnist-vae-16d"},
                "Beside each KL bar stands the slider of its number. Move one **with a long bar**, then one **without "
                "any**.",
                "What does a number without a bar do to the picture?",
                ("It slants it", "Nothing", "It makes another digit of it"),
                1,
                "Its posterior is the prior: it costs no nats, since it says nothing. This model uses "
                "{mnist-vae-16d[active_units]} of its 16 numbers; the others it **switched off**: each would cost "
                "more nats than it saves.",
            ),
            Step(
                "compare",
                {"model": "mnist-ae-16d", "beside": "mnist-vae-16d,mnist-beta4,mnist-collapsed"},
                "The same image through four models with the same networks. From left to right the KL weighs "
                "nothing, 1, 4 and 60.",
                "What happens to the reconstruction as the KL weighs more?",
                ("It gets sharper", "It loses detail, until it is no longer this image", "It stays as it is"),
                1,
                "Over test images: {mnist-ae-16d[recon]:.0f}, {mnist-vae-16d[recon]:.0f}, {mnist-beta4[recon]:.0f} "
                "and "
                "{mnist-collapsed[recon]:.0f} nats. At 60 no number saves what it costs: the KL is "
                "{mnist-collapsed[kl]:.1f}, and everything becomes the mean digit. That is **posterior collapse**.",
                {"compare_given": "one image"},
            ),
            Step(
                "inside",
                {"model": "mnist-beta4"},
                "Scroll down to the curve of **rate and distortion**: every point is a trained model.",
                "Which way does a model move when beta grows?",
                ("To the left and up: a cheaper code, a worse picture", "To the right and down", "It stays"),
                0,
                "Rate is what the code costs, distortion what the picture loses; beta is their rate of exchange. "
                "From beta 1 to 4: KL {mnist-vae-16d[kl]:.1f} to {mnist-beta4[kl]:.1f}, reconstruction "
                "{mnist-vae-16d[recon]:.1f} to {mnist-beta4[recon]:.1f}.",
            ),
        ),
    ),
    "walk": Lesson(
        "Walk the space",
        "Maps, straight lines and detours: how to move in a space of sixteen dimensions, and what not to believe.",
        8,
        (
            Step(
                "map",
                {"model": "mnist-vae-16d"},
                "Each dot is a held-out digit, placed by its code. **Move over the empty ground** between two "
                "clusters.",
                "What does the map show at a place where no image lies?",
                ("Nothing", "The nearest held-out image", "A digit that the model imagines there"),
                2,
                "It is decoded now, in your browser, from a code made of the nearest images' codes. Between two "
                "clusters you mostly see one "
                "digit turn into another, and sometimes neither.",
                {"map_kind_umap_4": "umap"},
            ),
            Step(
                "map",
                {"model": "mnist-vae-16d"},
                "Choose **UMAP again**: the same codes, another seed. Then **PCA**.",
                "How far can one believe the distances between clusters on such a map?",
                (
                    "Wholly: UMAP measures them",
                    "Little: it looks after near neighbours, and far ones change from run to run",
                    "The PCA map is exact",
                ),
                1,
                "Sixteen dimensions do not fit on a page. Trustworthiness is 1 where no image has a false neighbour "
                "on the map: "
                "{mnist-vae-16d[trustworthiness][umap]:.3f} for UMAP, {mnist-vae-16d[trustworthiness][pca]:.3f} for "
                "PCA. Which cluster "
                "lies beside which is another thing: the two runs of UMAP, of the same codes, show it.",
                {"map_kind_umap_4": "umap"},
            ),
            Step(
                "interpolate",
                {"model": "mnist-vae-16d"},
                "A 7 becomes a 0, **twice**: above through latent space, below by fading the pixels.",
                "What is the difference half-way?",
                ("None", "Above there is one digit, below two on top of each other", "Below is sharper"),
                1,
                "A mean of codes is the code of something; a mean of images is a double exposure. The number under "
                "a step is its support: how much at home data is there.",
                {
                    "interpolate_A_row_mnist": 0,
                    "interpolate_B_row_mnist": 3,
                    "interpolate_A_source": "Gallery",
                    "interpolate_B_source": "Gallery",
                    "interpolate_beyond": False,
                    "interpolate_line_2": "Straight (lerp)",
                },
            ),
            Step(
                "sliders",
                {"model": "mnist-vae-2d", "z": "30,-30"},
                "This code, (30, −30), lies **far from all data**: encoded digits end at about 4. Then press *Reset "
                "to the mean* and walk "
                "outwards on the square.",
                "What does the decoder say of a place where it was never trained?",
                (
                    "It draws grey: it does not know",
                    "It refuses",
                    "It draws something, black and white, as sure as ever",
                ),
                2,
                "A decoder knows no doubt: that a place is strange has to be asked of something else, such as how "
                "near "
                "encoded data lies.",
            ),
        ),
    ),
    "factors": Lesson(
        "Disentangle it",
        "When does one number mean one thing, how is that measured, and what does it cost?",
        10,
        (
            Step(
                "sliders",
                {"model": "sprites-vae"},
                "Shapes with a known position, scale and turn. Move **the first three sliders**, one after the other.",
                "How many things does one slider change?",
                ("One", "Several at once", "None"),
                1,
                "Position, size and shape are mixed: the code is **entangled**. Its mutual information gap is "
                "{sprites-vae[mig]:.2f}; random codes have {sprites-vae[mig_random]:.2f}, a perfect one 1.",
            ),
            Step(
                "disentangle",
                {"model": "sprites-btcvae"},
                "The heat map says how much each number knows of each **true factor**. Click a bright cell to see "
                "both move.",
                "Which factor does no number know?",
                ("Scale", "Orientation", "x"),
                1,
                "The gaps between the best number and the second: shape {sprites-btcvae[mig_gaps][0]:.2f}, scale "
                "{sprites-btcvae[mig_gaps][1]:.2f}, "
                "orientation {sprites-btcvae[mig_gaps][2]:.2f}, x {sprites-btcvae[mig_gaps][3]:.2f}, y "
                "{sprites-btcvae[mig_gaps][4]:.2f}; their mean is "
                "the MIG, {sprites-btcvae[mig]:.2f}. The plain VAE of the same recipe has {sprites-beta1[mig]:.2f}. "
                "And MIG does not see everything: "
                "shape and scale share **one** number.",
            ),
            Step(
                "compare",
                {"model": "sprites-beta1", "beside": "sprites-beta4,sprites-beta16"},
                "One recipe, three betas: **1, 4 and 16**.",
                "What does a tidier code cost?",
                ("Nothing", "Detail: the reconstructions get worse", "Time"),
                1,
                "Reconstruction: {sprites-beta1[recon]:.0f}, {sprites-beta4[recon]:.0f} and "
                "{sprites-beta16[recon]:.0f} nats, for a KL of "
                "{sprites-beta1[kl]:.1f}, {sprites-beta4[kl]:.1f} and {sprites-beta16[kl]:.1f}.",
                {"compare_given": "one image"},
            ),
            Step(
                "disentangle",
                {"model": "sprites-beta4"},
                "Scroll down to **the sweep**: the same recipe and seed with beta from 1 to 16.",
                "Does MIG keep growing with beta?",
                ("Yes, the more the better", "No: beyond 2 it hardly changes, and the pictures get worse"),
                1,
                "MIG {sprites-beta1[mig]:.2f}, {sprites-beta2[mig]:.2f}, {sprites-beta4[mig]:.2f}, "
                "{sprites-beta8[mig]:.2f}, "
                "{sprites-beta16[mig]:.2f} for beta 1, 2, 4, 8, 16: from 2 on they differ by less than two seeds of "
                "one recipe do. The reconstruction "
                "goes from {sprites-beta1[recon]:.0f} to {sprites-beta16[recon]:.0f} nats. All these runs begin with "
                "a beta of 60 that falls: "
                "that start did more for them than the beta they end with.",
            ),
            Step(
                "match",
                {"model": "sprites-btcvae"},
                "**Play**: bring your picture to the target with each machine. Which model it is, is told at the end.",
                "On which machine can sliders be set one after the other, without coming back to any?",
                ("On one whose sliders each change one thing", "On the one with the most sliders", "On none"),
                0,
                "That is what disentanglement is **for**: hands and eyes that know which number to move. The table of "
                "results says by how much it was quicker.",
            ),
        ),
    ),
    "break": Lesson(
        "Break it",
        "Collapse, foreign images, memory and noise: where a VAE fails, and how one notices.",
        9,
        (
            Step(
                "inside",
                {"model": "mnist-collapsed"},
                "**Draw** anything at all.",
                "Why does the decoded picture never change?",
                ("The decoder is broken", "No number of the code says anything of the image", "The pen is too thin"),
                1,
                "Every bar is empty: KL {mnist-collapsed[kl]:.2f} nats, {mnist-collapsed[active_units]} of 16 active. "
                "The decoder has learnt "
                "to do without the code, and draws the mean of all digits. One image would not tell: look at the data "
                "set's average.",
            ),
            Step(
                "uses",
                {"model": "fashion-vae-16d", "use": "anomalies"},
                "A model of **clothes** is shown the same clothes **blurred**, and ranks both by how many nats it "
                "needs for them.",
                "Which of the two look more unusual to it?",
                ("The blurred ones, by far", "The sharp ones, more often than not", "It finds no difference"),
                1,
                "AUROC {fashion-vae-16d[auroc_excess_blurred]:.2f}, where 0.5 is chance; "
                "{fashion-vae-16d[auroc_squared_error_blurred]:.2f} by squared error. "
                "An empty picture gets {fashion-vae-16d[auroc_excess_empty]:.2f} and "
                "{fashion-vae-16d[auroc_squared_error_empty]:.2f}. Simpler images need "
                "fewer nats, whether or not the model has seen their like: a density alone is no detector. What is "
                "*not* simpler is found: digits get "
                "{fashion-vae-16d[auroc_excess_mnist]:.2f}.",
                {"anomaly_kind": "blurred", "anomaly_score": "excess"},
            ),
            Step(
                "uses",
                {"model": "mnist-few", "use": "memory"},
                "This model had **200 images** to learn from. Each draw stands over the training image nearest to it.",
                "Does it draw new digits?",
                ("Yes", "The good ones are training images; the others are blends of them", "It draws test images"),
                1,
                "Test images, which it never saw, cost it {mnist-few[recon]:.0f} nats of reconstruction; the model "
                "that saw all "
                "60,000 pays {mnist-vae-16d[recon]:.0f}. Choose that model above (*Digits, VAE, 16-D*) and compare "
                "the curves.",
            ),
            Step(
                "uses",
                {"model": "mnist-vae-16d", "use": "denoising"},
                "Noise on a digit. **Raise and lower it** and watch both models.",
                "Why does the plain VAE lose the digit?",
                (
                    "Its encoder has never seen noise, and gives a code of something else",
                    "Its decoder draws noise",
                    "It has too few numbers",
                ),
                0,
                "At this noise it reaches {mnist-vae-16d[psnr_denoised]:.1f} dB, worse than the mean image's "
                "{mnist-vae-16d[psnr_mean_image]:.1f}. "
                "The same networks, taught with noise, reach {mnist-dvae[psnr_denoised]:.1f}: an encoder is to be "
                "trusted only where it was trained.",
                {"denoise_std": 0.5},
            ),
        ),
    ),
    "bound": Lesson(
        "Beneath the bound",
        "−ELBO is not −log p(x). What lies between, and three ways to make it less.",
        8,
        (
            Step(
                "inside",
                {"model": "mnist-vae-bin"},
                "Pixels are black or white here, so that the bound is one on a true probability. Read the **average "
                "−ELBO** in the ledger.",
                "Is −ELBO above or below −log p(x)?",
                ("Above: it is an upper bound", "Below", "Equal"),
                0,
                "−ELBO is {mnist-vae-bin[negative_elbo]:.2f} nats, −log p(x) by importance sampling "
                "{mnist-vae-bin[nll]:.2f}. Their distance is "
                "$\\mathrm{{KL}}(q(z|x) \\,\\|\\, p(z|x))$: how far the encoder's Gaussian is from the true "
                "posterior.",
            ),
            Step(
                "sample",
                {"model": "mnist-iaf"},
                "The same decoder, but a **flow** bends the posterior's Gaussian. Its figures stand under *About*.",
                "Where should a better posterior show?",
                ("In the distance between bound and −log p(x)", "In the number of pixels", "In the prior"),
                0,
                "{mnist-iaf[negative_elbo]:.2f} against {mnist-iaf[nll]:.2f}: the bound is tighter, and the model it "
                "trains is better "
                "than the Gaussian one's {mnist-vae-bin[nll]:.2f}.",
            ),
            Step(
                "sample",
                {"model": "mnist-vamp"},
                "Here the **prior** was learnt: a mixture of the posteriors of images that the model thinks up "
                "(VampPrior).",
                "What is gained by a prior that goes where codes are?",
                ("Codes cost fewer nats for the same picture", "Fewer pixels", "Sharper sliders"),
                0,
                "−log p(x) {mnist-vamp[nll]:.2f} nats instead of {mnist-vae-bin[nll]:.2f}. N(0, I) was a choice, not "
                "a law.",
            ),
            Step(
                "sample",
                {"model": "mnist-ladder"},
                "Two **levels** of code. Choose *top level* above the grid, draw again; then *bottom level*.",
                "What does the top level decide?",
                ("The digit and its pose", "Single pixels", "Nothing"),
                0,
                "The top says what it is, the bottom how it is done. −log p(x): {mnist-ladder[nll]:.2f} nats, as good "
                "as the learnt prior's "
                "{mnist-vamp[nll]:.2f}, with wider networks than the other three have.",
            ),
        ),
    ),
    "use": Lesson(
        "Put it to use",
        "Fill in what is hidden, keep the style, learn from a hundred labels; and a use that has to be proved.",
        9,
        (
            Step(
                "uses",
                {"model": "mnist-vae-16d", "use": "filling"},
                "The lower half of a 9 is hidden. Sixteen answers are drawn from the **posterior of what is "
                "visible**.",
                "Why are they not all the same?",
                (
                    "The sampler is not finished",
                    "The visible half does not decide the hidden one",
                    "Each has another visible half",
                ),
                1,
                "All agree above and differ below: that is what a distribution is for. The encoder alone gives one "
                "answer, "
                "and takes what is hidden for black.",
                {"fill_hidden": "lower half", "fill_image_row_mnist": 7, "fill_image_source": "Gallery"},
            ),
            Step(
                "uses",
                {"model": "mnist-vae-16d", "use": "filling"},
                "Now **everything** is hidden.",
                "From what are these draws?",
                ("From the prior", "From the training images", "From noise on the 9"),
                0,
                "Without any evidence the posterior is the prior. Uncover more and more (*all but a window*, *a "
                "band*), and watch "
                "it narrow down to the image: Bayes' rule, seen.",
                {"fill_hidden": "everything", "fill_image_row_mnist": 7, "fill_image_source": "Gallery"},
            ),
            Step(
                "sliders",
                {"model": "mnist-cvae"},
                "A conditional VAE: the **class** is given, z is the rest. Move the first sliders, then look at *This "
                "z in every class*.",
                "What does z hold?",
                ("The digit's name", "The style: slant, width, stroke", "Nothing"),
                1,
                "What the label says need not be said again, and costs nats. So z is left with the style, and one z "
                "writes all "
                "ten digits in one hand.",
            ),
            Step(
                "uses",
                {"model": "mnist-m2", "use": "labels"},
                "60,000 digits, **100 labels**: the bound of M2 averages over what the missing label may be.",
                "How good is its classifier?",
                ("As good as with the labels alone", "Far better: the unlabelled images taught it"),
                1,
                "{mnist-m2[accuracy_with_model]:.1%} of test images right; on the same images the same classifier "
                "with as many labels and nothing "
                "else {mnist-m2[accuracy_labels_alone]:.1%}.",
            ),
            Step(
                "uses",
                {"model": "mnist-vae-16d", "use": "augmentation"},
                "A VAE can make **as many images as one likes**. Do they help a classifier with few labels?",
                "What helps more here: the VAE's images, or the old ones shifted by up to two pixels?",
                ("The VAE's", "The shifts", "Both alike"),
                1,
                "Digits, 200 labels: {mnist-vae-16d[augmentation][200 alone]:.1%} alone, "
                "{mnist-vae-16d[augmentation][200 VAE]:.1%} with the "
                "VAE's images, {mnist-vae-16d[augmentation][200 shifted]:.1%} with shifts. Clothes: "
                "{fashion-vae-16d[augmentation][200 alone]:.1%}, "
                "{fashion-vae-16d[augmentation][200 VAE]:.1%}, {fashion-vae-16d[augmentation][200 shifted]:.1%}. Each "
                "has a standard error of a point or "
                "less: whether invented data helps has to be measured, for every data set anew.",
            ),
        ),
    ),
}


def fill_figures(text: str, cards: dict) -> str:
    """Replace the fields {name[figure]:format} of a text with the cards' figures.

    Raises KeyError if a card or a figure is missing, and other errors if a card is malformed.
    """
    figures = {
        name: cards[name].figures | {"trustworthiness": cards[name].map.get("trustworthiness", {})}
        for name in referenced_models(text)
    }
    return text.format_map(figures)


def referenced_models(text: str) -> set[str]:
    """Return the names of the models whose figures a text contains."""
    return {field.split("[")[0] for _, field, _, _ in string.Formatter().parse(text) if field}


def required_models(lesson: Lesson) -> set[str]:
    """Return the names of the models that a lesson needs."""
    names = set()
    for step in lesson.steps:
        others = filter(None, step.link.get("beside", "").split(","))
        names |= {step.link["model"], *others, *referenced_models(step.reveal)}
    return names


def parse_step(text: str) -> tuple[str, int] | None:
    """Parse "kl.2", the second step, to ("kl", 1). Returns None if there is no such step."""
    key, _, number = text.partition(".")
    if key not in LESSONS or not (number.isascii() and number.isdigit() and len(number) < 3):
        return None
    return (key, int(number) - 1) if 1 <= int(number) <= len(LESSONS[key].steps) else None
