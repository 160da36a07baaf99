"""The glossary: what the field's terms mean. Pages and handouts show it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A term of the field."""

    name: str
    definition: str  # plain text
    source: str  # the paper that introduces it, or a textbook
    group: str = ""  # a heading of the page; "" continues the group of the term before
    pattern: str = ""  # a regular expression of its mentions in a text; "" for a term that texts do not mark


TERMS = {
    "vae": Term(
        "VAE",
        "A variational autoencoder. Its encoder maps an image to a distribution of latent codes, and its decoder "
        "maps a code to a distribution of images. Training maximises the ELBO.",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        group="The model",
        pattern="VAEs?|variational autoencoders?",
    ),
    "autoencoder": Term(
        "autoencoder",
        "An encoder and a decoder trained to reconstruct images, with one code per image and no prior. To sample from "
        "one, pages fit a Gaussian to the codes of the training images.",
        "Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks, Science, 2006",
        pattern="autoencoders?",
    ),
    "latent-code": Term(
        "latent code, z",
        "The vector that represents an image inside the model. The encoder maps an image to a distribution of latent "
        "codes; the decoder maps a latent code to an image.",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        pattern="latent codes?",
    ),
    "dimension": Term(
        "dimension",
        "One entry of the latent code. Its index carries no meaning: training decides what the dimension encodes.",
        "Goodfellow, Bengio and Courville, Deep Learning, 2016, chapter 14",
        pattern="(?:latent )?dimensions?",
    ),
    "encoder": Term(
        "encoder",
        "The network that maps an image x to the parameters of the posterior q(z|x).",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        pattern="encoders?",
    ),
    "decoder": Term(
        "decoder",
        "The network that maps a latent code z to the parameters of the likelihood p(x|z). Pages show its mean image.",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        pattern="decoders?",
    ),
    "reconstruction": Term(
        "reconstruction",
        "The image decoded from the latent code of an image. The reconstruction error is -log p(x|z) in nats, summed "
        "over pixels; lower is better.",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        pattern="reconstructions?(?: errors?)?",
    ),
    "prior": Term(
        "prior, p(z)",
        "The distribution of latent codes before the model sees an image, here usually N(0, I). Codes "
        "sampled from it decode to new images.",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        pattern="priors?",
    ),
    "posterior": Term(
        "posterior, q(z|x)",
        "The distribution of latent codes that the encoder assigns to an image. It approximates the exact posterior "
        "p(z|x).",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        pattern="posteriors?",
    ),
    "vampprior": Term(
        "VampPrior",
        "A learned prior: a mixture of the posteriors of artificial images. Training learns these images, too.",
        "Tomczak and Welling, VAE with a VampPrior, AISTATS 2018",
        pattern="VampPriors?",
    ),
    "reparametrisation": Term(
        "reparametrisation trick",
        "A sample z is computed as mu + sigma * epsilon, with epsilon from N(0, I). The noise does not depend on the "
        "networks, so gradients reach mu and sigma.",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        pattern="reparametri[sz]ation(?: trick)?",
    ),
    "likelihood": Term(
        "likelihood, p(x|z)",
        "The probability or density that the decoder assigns to an image x, given a latent code z. With grey pixels "
        "and a Bernoulli likelihood, its negative logarithm is a cross-entropy.",
        "Loaiza-Ganem and Cunningham, The continuous Bernoulli, NeurIPS 2019",
        pattern="(?:log-)?likelihoods?",
    ),
    "temperature": Term(
        "temperature",
        "A factor on the standard deviation of the prior when codes are sampled. At 1 the prior is unchanged; at 0 "
        "every sample is its mean. In a VQ-VAE it divides the logits of the prior.",
        "Kingma and Dhariwal, Glow, NeurIPS 2018",
        pattern="temperatures?",
    ),
    "codebook": Term(
        "codebook",
        "The learned vectors of a VQ-VAE. Each position of its code is the index of one vector.",
        "Van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, NeurIPS 2017",
        pattern="codebooks?",
    ),
    "qlae": Term(
        "QLAE",
        "A quantised latent autoencoder. Each dimension of its code takes one of a few learned values, so a slider "
        "moves in steps. A large weight decay gives each dimension one meaning.",
        "Hsu et al., Disentanglement via Latent Quantization, NeurIPS 2023",
        pattern="QLAEs?|quantised latent autoencoders?",
    ),
    "perplexity": Term(
        "perplexity",
        "How many vectors of its codebook a VQ-VAE effectively uses: the exponential of the entropy of their "
        "frequencies. The maximum is the size of the codebook.",
        "Van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, NeurIPS 2017",
        pattern="perplexity",
    ),
    "conditional": Term(
        "conditional model",
        "A model that receives the class y as well: p(x|z, y). Its latent code can then leave the class out and keep "
        "the style.",
        "Sohn, Lee and Yan, Learning Structured Output Representation, NeurIPS 2015",
        pattern="conditional (?:VAEs?|models?)",
    ),
    "nat": Term(
        "nat",
        "The unit of information with the natural logarithm. One nat is 1.44 bits.",
        "Cover and Thomas, Elements of Information Theory, 2006, chapter 2",
        group="What training optimises",
        pattern="nats?",
    ),
    "kl": Term(
        "KL divergence",
        "The Kullback-Leibler divergence measures in nats how far the posterior of an image is from the prior. Its "
        "mean over images is an upper bound on the information that codes carry about them.",
        "Kullback and Leibler, On Information and Sufficiency, 1951",
        pattern="KL",
    ),
    "elbo": Term(
        "ELBO",
        "The evidence lower bound on log p(x): the expected log-likelihood minus the KL. A VAE is trained to maximise "
        "it. Pages show the negative ELBO, where lower is better.",
        "Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014",
        pattern="ELBO",
    ),
    "cross-entropy": Term(
        "cross-entropy",
        "The reconstruction term of a Bernoulli likelihood with grey pixels. It bounds no log-probability, and grey "
        "pixels keep it above 0.",
        "Loaiza-Ganem and Cunningham, The continuous Bernoulli, NeurIPS 2019",
        pattern="cross-entropy",
    ),
    "excess": Term(
        "excess",
        "A reconstruction error, or a negative ELBO, minus its lowest possible value: the entropy of the image's grey "
        "pixels. It compares images with different numbers of grey pixels.",
        "Loaiza-Ganem and Cunningham, The continuous Bernoulli, NeurIPS 2019",
        pattern="excess",
    ),
    "beta": Term(
        "beta",
        "The weight of the KL in the objective of a beta-VAE. Above 1, the code carries less information, and "
        "reconstructions lose detail.",
        "Higgins et al., beta-VAE, ICLR 2017",
        pattern="beta(?:-VAEs?)?",
    ),
    "rate-distortion": Term(
        "rate and distortion",
        "The two terms of the negative ELBO: the rate is the KL, and the distortion is the reconstruction error. A "
        "larger beta lowers the rate and raises the distortion.",
        "Alemi et al., Fixing a Broken ELBO, ICML 2018",
        pattern="rate and distortion|distortion",
    ),
    "collapse": Term(
        "posterior collapse",
        "The posterior of a dimension, or of all, equals the prior for every image. The dimension then carries no "
        "information.",
        "Bowman et al., Generating Sentences from a Continuous Space, CoNLL 2016",
        pattern="posterior collapse",
    ),
    "active-dimension": Term(
        "active dimension",
        "A dimension whose posterior mean has a variance above 0.01 over test images. Figures count these. To decide "
        "which dimensions to list, pages use another criterion: a mean KL above 0.1 nats.",
        "Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016",
        pattern="active (?:dimensions?|units?)",
    ),
    "discriminator": Term(
        "discriminator",
        "A second network, trained to separate two kinds of input, such as real and decoded images. A VAE-GAN trains "
        "its decoder against it.",
        "Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014",
        pattern="discriminators?",
    ),
    "nll": Term(
        "NLL",
        "The negative log-likelihood -log p(x), estimated by importance sampling from the posterior. The estimate "
        "improves with the number of samples.",
        "Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016",
        pattern="NLL",
    ),
    "importance-sampling": Term(
        "importance sampling",
        "An estimate of an average under one distribution, computed from samples of another. Each sample is weighted "
        "by the ratio of the two densities.",
        "Owen, Monte Carlo Theory, Methods and Examples, 2013, chapter 9",
        pattern="importance sampling",
    ),
    "total-correlation": Term(
        "total correlation",
        "The KL from the joint distribution of all dimensions to the product of their marginals. It is 0 if and only "
        "if they are independent. The Gaussian total correlation measures linear dependence alone.",
        "Chen et al., Isolating Sources of Disentanglement, NeurIPS 2018",
        pattern="(?:Gaussian )?total correlation",
    ),
    "overfitting": Term(
        "overfitting",
        "A model fits its training images ever better, while it gets worse on images that it was not trained on.",
        "Goodfellow, Bengio and Courville, Deep Learning, 2016, chapter 5",
        pattern="overfit(?:s|ted|ting)?",
    ),
    "early-stopping": Term(
        "early stopping",
        "Training ends, or an earlier state of the model is kept, where the error on validation images is lowest.",
        "Prechelt, Early Stopping - But When?, 1998",
        pattern="early stopping",
    ),
    "factor": Term(
        "factor",
        "A property that determines the images of a data set, such as position, scale or hue. Its value, the "
        "ground truth, is known for every image.",
        "Higgins et al., beta-VAE, ICLR 2017",
        group="Disentanglement",
        pattern="(?:ground-truth )?factors?",
    ),
    "disentanglement": Term(
        "disentanglement",
        "A code is disentangled if each dimension encodes one factor, so that a change of one factor changes one "
        "dimension.",
        "Bengio, Courville and Vincent, Representation Learning, 2013",
        pattern="disentanglement|disentangled",
    ),
    "beta-tcvae": Term(
        "beta-TCVAE",
        "A VAE in which beta weights the total correlation of the codes, one of three parts of the mean KL. The other "
        "two keep the weight 1.",
        "Chen et al., Isolating Sources of Disentanglement, NeurIPS 2018",
        pattern="beta-TCVAEs?",
    ),
    "ada-gvae": Term(
        "Ada-GVAE",
        "A VAE trained on pairs of images that share most factors. In each pair, it averages the posteriors of the "
        "dimensions that differ least.",
        "Locatello et al., Weakly-Supervised Disentanglement Without Compromises, ICML 2020",
        pattern="Ada-GVAEs?",
    ),
    "mutual-information": Term(
        "mutual information",
        "How much a dimension reveals about a factor, in nats. It is 0 if they are independent.",
        "Cover and Thomas, Elements of Information Theory, 2006, chapter 2",
        pattern="mutual information",
    ),
    "mig": Term(
        "MIG",
        "The mutual information gap. For each factor: the mutual information with the most informative dimension "
        "minus that with the second, divided by the factor's entropy. The mean over factors lies between 0 and 1.",
        "Chen et al., Isolating Sources of Disentanglement, NeurIPS 2018",
        pattern="MIG",
    ),
    "dci": Term(
        "DCI",
        "Three scores from boosted trees that predict factors from codes. Disentanglement: each dimension predicts "
        "one factor. Completeness: each factor is predicted by one dimension. Informativeness: the accuracy.",
        "Eastwood and Williams, A Framework for the Quantitative Evaluation of Disentangled Representations, "
        "ICLR 2018",
        pattern="DCI",
    ),
    "infomec": Term(
        "InfoM, InfoC, InfoE",
        "Three scores of codes. InfoM: each dimension is informative about one factor. InfoC: each factor is captured "
        "by one dimension. InfoE: a linear classifier predicts the factors from codes.",
        "Hsu et al., Disentanglement via Latent Quantization, NeurIPS 2023",
        pattern="Info(?:MEC|M|C|E)",
    ),
    "sap": Term(
        "SAP",
        "Separated attribute predictability: how much better the best dimension alone predicts a factor than the "
        "second best, averaged over factors.",
        "Kumar, Sattigeri and Balakrishnan, Variational Inference of Disentangled Latent Concepts, ICLR 2018",
        pattern="SAP",
    ),
    "modularity": Term(
        "modularity",
        "A score that is 1 if each dimension has mutual information with only one factor.",
        "Ridgeway and Mozer, Learning Deep Disentangled Embeddings, NeurIPS 2018",
        pattern="modularity",
    ),
    "factor-vae-score": Term(
        "FactorVAE score",
        "The accuracy of a majority vote that guesses which factor a batch of images shares, from the dimension of "
        "lowest variance.",
        "Kim and Mnih, Disentangling by Factorising, ICML 2018",
        pattern="FactorVAE score",
    ),
    "attribute-direction": Term(
        "attribute direction",
        "The mean code of images with an attribute minus the mean code of images without it.",
        "Larsen et al., Autoencoding beyond Pixels Using a Learned Similarity Metric, ICML 2016",
        group="Codes, maps and tasks",
        pattern="attribute directions?",
    ),
    "traversal": Term(
        "traversal",
        "A row of decoded images in which one dimension changes and all others stay the same.",
        "Higgins et al., beta-VAE, ICLR 2017",
        pattern="traversals?",
    ),
    "interpolation": Term(
        "interpolation",
        "A path between two codes. Linear interpolation (lerp) is a straight line; spherical interpolation (slerp, a "
        "great arc) changes the angle and the length separately.",
        "White, Sampling Generative Networks, 2016",
        pattern="interpolations?",
    ),
    "support": Term(
        "support",
        "The share of test images whose codes lie in regions as sparse as that of this code, or sparser. Near 0, no "
        "data lies nearby, and the decoder extrapolates.",
        "Arvanitidis, Hansen and Hauberg, Latent Space Oddity, ICLR 2018",
        pattern="support(?! (?:an?|the|this|these|it|them)\\b)",
    ),
    "umap": Term(
        "UMAP",
        "A method that places codes on a plane so that neighbours stay neighbours. Distances between points that are "
        "far apart on the map have little meaning.",
        "McInnes, Healy and Melville, UMAP, 2018",
        pattern="UMAP",
    ),
    "trustworthiness": Term(
        "trustworthiness",
        "A score of a map between 0 and 1. It is 1 if the neighbours of every image on the map are also its "
        "neighbours in latent space.",
        "Venna and Kaski, Neighborhood Preservation in Nonlinear Projection Methods, ICANN 2001",
        pattern="trustworthiness",
    ),
    "pca": Term(
        "PCA",
        "Principal component analysis: the linear projection to the directions of largest variance.",
        "Jolliffe, Principal Component Analysis, 2002",
        pattern="PCA",
    ),
    "out-of-distribution": Term(
        "out of distribution",
        "An image that differs in kind from the training data. A model may still reconstruct it well, or assign it a "
        "high likelihood.",
        "Nalisnick et al., Do Deep Generative Models Know What They Don't Know?, ICLR 2019",
        pattern="out[ -]of[ -]distribution",
    ),
    "auroc": Term(
        "AUROC",
        "The area under the ROC curve: the probability that a random outlier scores higher than a random test image. "
        "0.5 is chance, 1 is perfect.",
        "Fawcett, An Introduction to ROC Analysis, 2006",
        pattern="AUROC",
    ),
    "sharpness": Term(
        "sharpness",
        "The variance of the Laplacian of an image. Edges raise it, and blur lowers it. Its baseline is the value for "
        "test images.",
        "Pech-Pacheco et al., Diatom Autofocusing in Brightfield Microscopy, ICPR 2000",
        pattern="sharpness",
    ),
    "psnr": Term(
        "PSNR",
        "The peak signal-to-noise ratio in dB: -10 log10 of the mean squared error, for pixels between 0 and 1. "
        "Higher is better.",
        "Gonzalez and Woods, Digital Image Processing, 2018, chapter 8",
        pattern="PSNR",
    ),
    "baseline": Term(
        "baseline",
        "The score of a simple method, or of chance, on the same task. Compare each figure with its baseline.",
        "Goodfellow, Bengio and Courville, Deep Learning, 2016, chapter 11",
        pattern="baselines?",
    ),
}


def _mentions() -> re.Pattern[str]:
    """Return a pattern with a group per term. Longer patterns come first: "posterior collapse" before "posterior"."""
    terms = sorted(((term.pattern, key) for key, term in TERMS.items() if term.pattern), key=lambda t: -len(t[0]))
    groups = (
        f"(?P<{key.replace('-', '_')}>{pattern if pattern.isupper() else f'(?i:{pattern})'})" for pattern, key in terms
    )
    return re.compile(rf"(?<![\w/-])(?:{'|'.join(groups)})(?![\w-])")


MENTIONS = _mentions()  # the name of a match's group is the term's key, with _ for -


def mentioned(text: str) -> list[str]:
    """Return the keys of the terms that a text mentions, in the glossary's order."""
    found = {key_of(match) for match in MENTIONS.finditer(text)}
    return [key for key in TERMS if key in found]


def key_of(match: re.Match[str]) -> str:
    """Return the key of the term that a match of MENTIONS is."""
    return str(match.lastgroup).replace("_", "-")
