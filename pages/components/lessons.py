"""The lessons: short walks over the pages, a question before each answer.

A step is a link: page, model and point are set as its link says. Figures in a text are taken from the
cards when it is shown: {name[figure]:format}.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    page: str  # its address: "sliders"
    link: dict[str, str]  # the parameters of its link; "model" always
    do: str  # what to try
    question: str
    answers: tuple[str, ...]
    right: int  # which answer
    reveal: str  # what is told once an answer is given
    settings: dict[str, object] = field(default_factory=dict)  # of the page's widgets, by key


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
                "map", {"model": "mnist-ae-2d"},
                "An **autoencoder** that knows a digit by two numbers. Each dot is the code of a held-out image. Zoom out, and move "
                "over the empty ground.",
                "What holds its codes together?",
                ("Nothing: some lie far out, with empty ground between", "A circle about the middle", "A grid"), 0,
                "It gives every image a **point**, wherever reconstruction likes it, and nothing ever asked what lies between two "
                "points. What is decoded on empty ground is nobody's digit.",
            ),
            Step(
                "sample", {"model": "mnist-ae-16d", "seed": "3"},
                "An autoencoder with sixteen numbers. It has no prior to draw from, so these are draws from a Gaussian with the "
                "mean and spread of its codes. Press *Draw again* a few times.",
                "Why are so many of them no digits?",
                ("Its decoder is too small", "Its codes fill only parts of that Gaussian, and nothing asked them to fill it", "The seed is unlucky"), 1,
                "Its reconstructions are better than those of the VAE with the same networks: {mnist-ae-16d[recon]:.0f} nats against "
                "{mnist-vae-16d[recon]:.0f}. But a good encoder and a good decoder are not yet a space to draw from.",
            ),
            Step(
                "inside", {"model": "mnist-vae-2d"},
                "The VAE. **Draw a digit** and watch the pink ellipse on the plane while the pen moves.",
                "What does the encoder say of one image?",
                ("A point", "A centre and a width in each dimension", "The name of a digit"), 1,
                "$q(z|x) = \\mathcal N(\\mu, \\mathrm{{diag}}\\,\\sigma^2)$: a distribution. Every place in the ellipse must decode to this image, "
                "so neighbouring places must look alike: that is what fills the gaps.",
            ),
            Step(
                "inside", {"model": "mnist-vae-2d"},
                "Press **Redraw ε** some ten times. The white dot is $z$.",
                "What stays as it is when ε is drawn anew?",
                ("z", "μ and σ", "The decoded picture"), 1,
                "$z = \\mu + \\sigma \\odot \\varepsilon$ is the **reparametrisation trick**: chance enters from outside, by ε, so that "
                "gradients can flow through μ and σ. Touch the formula's parts to see the very code that does it.",
            ),
            Step(
                "sample", {"model": "mnist-vae-16d", "seed": "3"},
                "Sixteen numbers again, the networks of the autoencoder, but trained **as a VAE**: draws from N(0, I).",
                "Why are more of these digits?",
                ("The KL term made the clouds of all images fill N(0, I)", "The VAE's networks are larger", "They are training images"), 0,
                "The VAE pays {mnist-vae-16d[kl]:.1f} nats an image for saying where it lies, and so spreads its codes as N(0, I) is "
                "spread. That is what makes the space usable.",
            ),
        ),
    ),
    "kl": Lesson(
        "What the KL does",
        "The two terms of the bound, what each costs, and what happens when one weighs too much.",
        8,
        (
            Step(
                "inside", {"model": "mnist-vae-16d"},
                "Sixteen numbers a digit. Draw one, and read **the ledger**.",
                "On average over test images: which term is the larger?",
                ("The reconstruction", "The KL"), 0,
                "Reconstruction {mnist-vae-16d[recon]:.1f} nats, KL {mnist-vae-16d[kl]:.1f}. Of the first, "
                "{mnist-vae-16d[recon_floor]:.1f} cannot be had for less: grey pixels are uncertain in themselves.",
            ),
            Step(
                "inside", {"model": "mnist-vae-16d"},
                "Beside each KL bar stands the slider of its number. Move one **with a long bar**, then one **without any**.",
                "What does a number without a bar do to the picture?",
                ("It slants it", "Nothing", "It makes another digit of it"), 1,
                "Its posterior is the prior: it costs no nats, since it says nothing. This model uses "
                "{mnist-vae-16d[active_units]} of its 16 numbers; the others it **switched off**, each being worth less than its price.",
            ),
            Step(
                "compare", {"model": "mnist-ae-16d", "beside": "mnist-vae-16d,mnist-beta4,mnist-collapsed"},
                "The same image through four models with the same networks. From left to right the KL weighs "
                "nothing, 1, 4 and 60.",
                "What happens to the reconstruction as the KL weighs more?",
                ("It gets sharper", "It loses detail, until it is no longer this image", "It stays as it is"), 1,
                "Over test images: {mnist-ae-16d[recon]:.0f}, {mnist-vae-16d[recon]:.0f}, {mnist-beta4[recon]:.0f} and "
                "{mnist-collapsed[recon]:.0f} nats. At 60 no number is worth its price: the KL is "
                "{mnist-collapsed[kl]:.1f}, and everything becomes the mean digit. That is **posterior collapse**.",
            ),
            Step(
                "inside", {"model": "mnist-beta4"},
                "Scroll down to the curve of **rate and distortion**: every point is a trained model.",
                "Which way does a model move when beta grows?",
                ("To the left and up: a cheaper code, a worse picture", "To the right and down", "It stays"), 0,
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
                "map", {"model": "mnist-vae-16d"},
                "Each dot is a held-out digit, placed by its code. **Move over the empty ground** between two clusters.",
                "What does the map show at a place where no image lies?",
                ("Nothing", "The nearest held-out image", "A digit that the model imagines there"), 2,
                "It is decoded now, in your browser, from the code that belongs there. Between two clusters you see one "
                "digit turn into another: the space has no holes to fall into.",
            ),
            Step(
                "map", {"model": "mnist-vae-16d"},
                "Choose **UMAP again**: the same codes, another seed. Then **PCA**.",
                "How far can one believe the distances between clusters on such a map?",
                ("Wholly: UMAP measures them", "Little: neighbours are kept, far distances are not", "The PCA map is exact"), 1,
                "Sixteen dimensions do not fit on a page. Of each image's neighbours most are true (trustworthiness "
                "{mnist-vae-16d[trustworthiness][umap]:.3f} for UMAP, {mnist-vae-16d[trustworthiness][pca]:.3f} for PCA; 1 is "
                "perfect), but which cluster lies beside which is half chance.",
            ),
            Step(
                "interpolate", {"model": "mnist-vae-16d"},
                "A 7 becomes a 0, **twice**: above through latent space, below by fading the pixels.",
                "What is the difference half-way?",
                ("None", "Above there is one digit, below two on top of each other", "Below is sharper"), 1,
                "A mean of codes is the code of something; a mean of images is a double exposure. The number under "
                "a step is its support: how much at home data is there.",
                {"interpolate_A_row_mnist": 0, "interpolate_B_row_mnist": 3},
            ),
            Step(
                "sliders", {"model": "mnist-vae-2d", "z": "30,-30"},
                "This code, (30, −30), lies **far from all data**: encoded digits end at about 4. Then press *Reset to the mean* and walk "
                "outwards on the square.",
                "What does the decoder say of a place where it was never trained?",
                ("It draws grey: it does not know", "It refuses", "It draws something, black and white, as sure as ever"), 2,
                "A decoder knows no doubt: that a place is strange has to be asked of something else, such as how near "
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
                "sliders", {"model": "sprites-vae"},
                "Shapes with a known position, scale and turn. Move **the first three sliders**, one after the other.",
                "How many things does one slider change?",
                ("One", "Several at once", "None"), 1,
                "Position, size and shape are mixed: the code is **entangled**. Its mutual information gap is "
                "{sprites-vae[mig]:.2f}; random codes have {sprites-vae[mig_random]:.2f}, a perfect one 1.",
            ),
            Step(
                "disentangle", {"model": "sprites-btcvae"},
                "The heat map says how much each number knows of each **true factor**. Click a bright cell to see both move.",
                "Which factors have one number that knows them, and no second?",
                ("Shape and orientation", "x, y and scale", "All of them"), 1,
                "This model was asked to keep its numbers independent (beta-TCVAE). Its MIG is {sprites-btcvae[mig]:.2f}, four times "
                "that of the plain VAE. Orientation is left out: a shape may look alike at several angles, and "
                "there was no better price for it.",
            ),
            Step(
                "compare", {"model": "sprites-beta1", "beside": "sprites-beta4,sprites-beta16"},
                "One recipe, three betas: **1, 4 and 16**.",
                "What does a tidier code cost?",
                ("Nothing", "Detail: the reconstructions get worse", "Time"), 1,
                "Reconstruction: {sprites-beta1[recon]:.0f}, {sprites-beta4[recon]:.0f} and {sprites-beta16[recon]:.0f} nats, for a KL of "
                "{sprites-beta1[kl]:.1f}, {sprites-beta4[kl]:.1f} and {sprites-beta16[kl]:.1f}.",
            ),
            Step(
                "disentangle", {"model": "sprites-beta4"},
                "Scroll down to **the sweep**: the same recipe and seed with beta from 1 to 16.",
                "Is more beta always tidier?",
                ("Yes, the more the better", "No: MIG rises and falls again", "MIG does not change"), 1,
                "MIG {sprites-beta1[mig]:.2f}, {sprites-beta2[mig]:.2f}, {sprites-beta4[mig]:.2f}, {sprites-beta8[mig]:.2f}, "
                "{sprites-beta16[mig]:.2f} for beta 1, 2, 4, 8, 16. Too much of it, and factors are given up altogether. "
                "And these are single runs: seeds differ by as much.",
            ),
            Step(
                "match", {"model": "sprites-btcvae"},
                "**Play**: bring your picture to the target with each machine. Which model it is, is told at the end.",
                "On which machine can sliders be set one after the other, without coming back to any?",
                ("On one whose sliders each change one thing", "On the one with the most sliders", "On none"), 0,
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
                "inside", {"model": "mnist-collapsed"},
                "**Draw** anything at all.",
                "Why does the decoded picture never change?",
                ("The decoder is broken", "No number of the code says anything of the image", "The pen is too thin"), 1,
                "Every bar is empty: KL {mnist-collapsed[kl]:.2f} nats, {mnist-collapsed[active_units]} of 16 active. The decoder has learnt "
                "to do without the code, and draws the mean of all digits. One image would not tell: look at the data set's average.",
            ),
            Step(
                "uses", {"model": "fashion-vae-16d", "use": "anomalies"},
                "A model of **clothes** is shown **digits**, and ranks both by its bound on −log p(x).",
                "Which does it find the stranger?",
                ("The digits, by far", "The clothes, more often than not", "It finds no difference"), 1,
                "AUROC {fashion-vae-16d[auroc_negative_elbo_mnist]:.2f}, where 0.5 is chance: digits are **likelier** than clothes, being "
                "simpler to tell. By squared error it is {fashion-vae-16d[auroc_squared_error_mnist]:.2f}; but then look at the empty picture, "
                "{fashion-vae-16d[auroc_squared_error_empty]:.3f}. No single score is a detector.",
                {"anomaly_kind": "mnist", "anomaly_score": "negative_elbo"},
            ),
            Step(
                "uses", {"model": "mnist-few", "use": "memory"},
                "This model had **200 images** to learn from. Each draw stands over the training image nearest to it.",
                "Does it draw new digits?",
                ("Yes", "The good ones are training images; the others are blends of them", "It draws test images"), 1,
                "Test images, which it never saw, cost it {mnist-few[recon]:.0f} nats of reconstruction; the model that saw all "
                "60,000 pays {mnist-vae-16d[recon]:.0f}. Choose that model above, and the two curves lie on each other.",
            ),
            Step(
                "uses", {"model": "mnist-vae-16d", "use": "denoising"},
                "Noise on a digit. **Raise and lower it** and watch both models.",
                "Why does the plain VAE lose the digit?",
                ("Its encoder has never seen noise, and gives a code of something else", "Its decoder draws noise", "It has too few numbers"), 0,
                "At this noise it reaches {mnist-vae-16d[psnr_denoised]:.1f} dB, worse than the mean image's {mnist-vae-16d[psnr_mean_image]:.1f}. "
                "The same networks, taught with noise, reach {mnist-dvae[psnr_denoised]:.1f}: an encoder is to be trusted only where it was trained.",
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
                "inside", {"model": "mnist-vae-bin"},
                "Pixels are black or white here, so that the bound is one on a true probability. Read the **average −ELBO** in the ledger.",
                "Is −ELBO above or below −log p(x)?",
                ("Above: it is an upper bound", "Below", "Equal"), 0,
                "−ELBO is {mnist-vae-bin[negative_elbo]:.2f} nats, −log p(x) by importance sampling {mnist-vae-bin[nll]:.2f}. Their distance is "
                "$\\mathrm{{KL}}(q(z|x) \\,\\|\\, p(z|x))$: how far the encoder's Gaussian is from the true posterior.",
            ),
            Step(
                "sample", {"model": "mnist-iaf"},
                "The same decoder, but a **flow** bends the posterior's Gaussian. Its figures stand beside the list of models.",
                "Where should a better posterior show?",
                ("In the distance between bound and −log p(x)", "In the number of pixels", "In the prior"), 0,
                "{mnist-iaf[negative_elbo]:.2f} against {mnist-iaf[nll]:.2f}: the bound is tighter, and the model it trains is better "
                "than the Gaussian one's {mnist-vae-bin[nll]:.2f}.",
            ),
            Step(
                "sample", {"model": "mnist-vamp"},
                "Here the **prior** was learnt: a mixture of the posteriors of images that the model thinks up (VampPrior).",
                "What is gained by a prior that goes where codes are?",
                ("Codes cost fewer nats for the same picture", "Fewer pixels", "Sharper sliders"), 0,
                "−log p(x) {mnist-vamp[nll]:.2f} nats instead of {mnist-vae-bin[nll]:.2f}. N(0, I) was a choice, not a law.",
            ),
            Step(
                "sample", {"model": "mnist-ladder"},
                "Two **levels** of code. Choose *top level* above the grid, draw again; then *bottom level*.",
                "What does the top level decide?",
                ("The digit and its pose", "Single pixels", "Nothing"), 0,
                "The top says what it is, the bottom how it is done. −log p(x): {mnist-ladder[nll]:.2f}, the least of these four.",
            ),
        ),
    ),
    "use": Lesson(
        "Put it to use",
        "Fill in what is hidden, keep the style, learn from a hundred labels; and a use that is none.",
        9,
        (
            Step(
                "uses", {"model": "mnist-vae-16d", "use": "filling"},
                "The lower half of a 9 is hidden. Sixteen answers are drawn from the **posterior of what is visible**.",
                "Why are they not all the same?",
                ("The sampler is not finished", "The visible half does not decide the hidden one", "Each has another visible half"), 1,
                "All agree above and differ below: that is what a distribution is for. The encoder alone gives one answer, "
                "and takes what is hidden for black.",
                {"fill_hidden": "lower half"},
            ),
            Step(
                "uses", {"model": "mnist-vae-16d", "use": "filling"},
                "Now **everything** is hidden.",
                "From what are these draws?",
                ("From the prior", "From the training images", "From noise on the 9"), 0,
                "Without any evidence the posterior is the prior. Uncover more and more (*all but a window*, *a band*), and watch "
                "it narrow down to the image: Bayes' rule, seen.",
                {"fill_hidden": "everything"},
            ),
            Step(
                "sliders", {"model": "mnist-cvae"},
                "A conditional VAE: the **class** is given, z is the rest. Move the first sliders, then look at *This z in every class*.",
                "What does z hold?",
                ("The digit's name", "The style: slant, width, stroke", "Nothing"), 1,
                "What the label says need not be said again, and costs nats. So z is left with the style, and one z writes all "
                "ten digits in one hand.",
            ),
            Step(
                "uses", {"model": "mnist-m2", "use": "labels"},
                "60,000 digits, **100 labels**: the bound of M2 averages over what the missing label may be.",
                "How good is its classifier?",
                ("As good as with the labels alone", "Far better: the unlabelled images taught it"), 1,
                "{mnist-m2[accuracy]:.1%} of test images right; the same classifier with as many labels and nothing else "
                "{mnist-m2[accuracy_labels_alone]:.1%}.",
            ),
            Step(
                "uses", {"model": "mnist-vae-16d", "use": "augmentation"},
                "A VAE can make **as many images as one likes**. Do they help a classifier with few labels?",
                "What helps more: a VAE's images, or the old ones shifted by two pixels?",
                ("The VAE's", "The shifts", "Both alike"), 1,
                "Accuracy with 50 labels: {mnist-vae-16d[augmentation][50 alone]:.1%} alone, {mnist-vae-16d[augmentation][50 VAE]:.1%} with the "
                "VAE's images, {mnist-vae-16d[augmentation][50 shifted]:.1%} with shifts. A model can repeat what data said; it cannot add "
                "what nobody said.",
            ),
        ),
    ),
}


def told(text: str, cards: dict) -> str:
    """A text with the figures of the cards in their places. Raises KeyError where one is missing."""
    known = {name: card.figures | {"trustworthiness": card.map.get("trustworthiness", {})} for name, card in cards.items()}
    return text.format_map(known)


def parse(text: str) -> tuple[str, int] | None:
    """"kl.2", the second step -> ("kl", 1); None for what is no step."""
    key, _, number = text.partition(".")
    if key not in LESSONS or not (number.isascii() and number.isdigit() and len(number) < 3):
        return None
    return (key, int(number) - 1) if 1 <= int(number) <= len(LESSONS[key].steps) else None
