"""Activation functions for Keras 3 on TensorFlow: functions, layers, strings."""

__version__ = "0.1.0"

try:
    import keras as _keras
except ImportError as error:
    raise ImportError(
        f"keras_activations needs Keras on TensorFlow, but Keras cannot be imported: {error}. "
        f"Run `pip install keras tensorflow`, and set KERAS_BACKEND=tensorflow in the environment."
    ) from error

if _keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"keras_activations needs Keras on TensorFlow, but Keras runs on "
        f"{_keras.backend.backend()}. Set the environment variable KERAS_BACKEND=tensorflow."
    )

from keras_activations import _keras_strings
from keras_activations._keras_strings import use
from keras_activations._registry import ActivationInfo, catalogue, get, info, layer
from keras_activations.activations.acon_c import AconC, acon_c
from keras_activations.activations.apl import APL, apl
from keras_activations.activations.aptx import APTx, aptx
from keras_activations.activations.arctan import Arctan, arctan
from keras_activations.activations.aria2 import Aria2, aria2
from keras_activations.activations.bent_identity import BentIdentity, bent_identity
from keras_activations.activations.bilinear import Bilinear, bilinear
from keras_activations.activations.binary_step import BinaryStep, binary_step
from keras_activations.activations.bounded_sigmoid import BoundedSigmoid, bounded_sigmoid
from keras_activations.activations.bounded_tanh import BoundedTanh, bounded_tanh
from keras_activations.activations.brelu import BReLU, brelu
from keras_activations.activations.bsilu import BSiLU, bsilu
from keras_activations.activations.celu import CELU, celu
from keras_activations.activations.clamped_swiglu import ClampedSwiGLU, clamped_swiglu
from keras_activations.activations.clipped_gelu import ClippedGELU, clipped_gelu
from keras_activations.activations.cloglog import CLogLog, cloglog
from keras_activations.activations.colu import CoLU, colu
from keras_activations.activations.crelu import CReLU, crelu
from keras_activations.activations.derf import Derf, derf
from keras_activations.activations.dyt import DyT, dyt
from keras_activations.activations.e_swish import ESwish, e_swish
from keras_activations.activations.elish import ELiSH, elish
from keras_activations.activations.elu import ELU, elu
from keras_activations.activations.entmax import Entmax, entmax
from keras_activations.activations.entmax15 import Entmax15, entmax15
from keras_activations.activations.erf_act import ErfAct, erf_act
from keras_activations.activations.exponential import Exponential, exponential
from keras_activations.activations.flatten_t_swish import FlattenTSwish, flatten_t_swish
from keras_activations.activations.frelu import FReLU, frelu
from keras_activations.activations.gaussian import Gaussian, gaussian
from keras_activations.activations.gcu import GCU, gcu
from keras_activations.activations.geglu import GeGLU, geglu
from keras_activations.activations.gelu import GELU, gelu
from keras_activations.activations.gelu_tanh import GELUTanh, gelu_tanh
from keras_activations.activations.glu import GLU, glu
from keras_activations.activations.golu import GoLU, golu
from keras_activations.activations.group_sort import GroupSort, group_sort
from keras_activations.activations.gumbel_softmax import GumbelSoftmax, gumbel_softmax
from keras_activations.activations.hard_elish import HardELiSH, hard_elish
from keras_activations.activations.hard_mish import HardMish, hard_mish
from keras_activations.activations.hard_shrink import HardShrink, hard_shrink
from keras_activations.activations.hard_sigmoid import HardSigmoid, hard_sigmoid
from keras_activations.activations.hard_sigmoid_keras2 import HardSigmoidKeras2, hard_sigmoid_keras2
from keras_activations.activations.hard_silu import HardSiLU, hard_silu
from keras_activations.activations.hard_tanh import HardTanh, hard_tanh
from keras_activations.activations.isrlu import ISRLU, isrlu
from keras_activations.activations.isru import ISRU, isru
from keras_activations.activations.laplace import Laplace, laplace
from keras_activations.activations.leaky_relu import LeakyReLU, leaky_relu
from keras_activations.activations.linear import Linear, linear
from keras_activations.activations.lisht import LiSHT, lisht
from keras_activations.activations.log_sigmoid import LogSigmoid, log_sigmoid
from keras_activations.activations.log_softmax import LogSoftmax, log_softmax
from keras_activations.activations.logish import Logish, logish
from keras_activations.activations.maxout import Maxout, maxout
from keras_activations.activations.mish import Mish, mish
from keras_activations.activations.nlrelu import NLReLU, nlrelu
from keras_activations.activations.pelu import PELU, pelu
from keras_activations.activations.penalized_tanh import PenalizedTanh, penalized_tanh
from keras_activations.activations.phish import Phish, phish
from keras_activations.activations.poly_norm import PolyNorm, poly_norm
from keras_activations.activations.poly_relu import PolyReLU, poly_relu
from keras_activations.activations.prelu import PReLU, prelu
from keras_activations.activations.quick_gelu import QuickGELU, quick_gelu
from keras_activations.activations.rational import Rational, rational
from keras_activations.activations.reglu import ReGLU, reglu
from keras_activations.activations.relu import ReLU, relu
from keras_activations.activations.relu6 import ReLU6, relu6
from keras_activations.activations.relu_squared import ReLUSquared, relu_squared
from keras_activations.activations.rrelu import RReLU, rrelu
from keras_activations.activations.scaled_tanh import ScaledTanh, scaled_tanh
from keras_activations.activations.seglu import SeGLU, seglu
from keras_activations.activations.selu import SELU, selu
from keras_activations.activations.serf import Serf, serf
from keras_activations.activations.shifted_softplus import ShiftedSoftplus, shifted_softplus
from keras_activations.activations.sigmoid import Sigmoid, sigmoid
from keras_activations.activations.silu import SiLU, silu
from keras_activations.activations.sine import Sine, sine
from keras_activations.activations.smelu import SmeLU, smelu
from keras_activations.activations.smish import Smish, smish
from keras_activations.activations.smu import SMU, smu
from keras_activations.activations.snake import Snake, snake
from keras_activations.activations.snake_beta import SnakeBeta, snake_beta
from keras_activations.activations.soft_clipping import SoftClipping, soft_clipping
from keras_activations.activations.soft_exponential import SoftExponential, soft_exponential
from keras_activations.activations.soft_shrink import SoftShrink, soft_shrink
from keras_activations.activations.softmax import Softmax, softmax
from keras_activations.activations.softmin import Softmin, softmin
from keras_activations.activations.softplus import Softplus, softplus
from keras_activations.activations.softsign import Softsign, softsign
from keras_activations.activations.solu import SoLU, solu
from keras_activations.activations.sparse_plus import SparsePlus, sparse_plus
from keras_activations.activations.sparse_sigmoid import SparseSigmoid, sparse_sigmoid
from keras_activations.activations.sparsemax import Sparsemax, sparsemax
from keras_activations.activations.sqnl import SQNL, sqnl
from keras_activations.activations.squareplus import Squareplus, squareplus
from keras_activations.activations.srelu import SReLU, srelu
from keras_activations.activations.star_relu import StarReLU, star_relu
from keras_activations.activations.sugar_relu import SugarReLU, sugar_relu
from keras_activations.activations.swiglu import SwiGLU, swiglu
from keras_activations.activations.swish import Swish, swish
from keras_activations.activations.tanh import Tanh, tanh
from keras_activations.activations.tanh_shrink import TanhShrink, tanh_shrink
from keras_activations.activations.telu import TeLU, telu
from keras_activations.activations.threshold import Threshold, threshold
from keras_activations.activations.tlu import TLU, tlu
from keras_activations.activations.xielu import XIELU, xielu
from keras_activations.analysis import Properties, properties
from keras_activations.comparison import compare
from keras_activations.gains import gain, initializer
from keras_activations.migration import migrate
from keras_activations.monitors import ActivationMonitor
from keras_activations.plotting import plot
from keras_activations.surgery import replace_activations

__all__ = [
    "APL",
    "CELU",
    "ELU",
    "GCU",
    "GELU",
    "GLU",
    "ISRLU",
    "ISRU",
    "PELU",
    "SELU",
    "SMU",
    "SQNL",
    "TLU",
    "XIELU",
    "APTx",
    "AconC",
    "ActivationInfo",
    "ActivationMonitor",
    "Arctan",
    "Aria2",
    "BReLU",
    "BSiLU",
    "BentIdentity",
    "Bilinear",
    "BinaryStep",
    "BoundedSigmoid",
    "BoundedTanh",
    "CLogLog",
    "CReLU",
    "ClampedSwiGLU",
    "ClippedGELU",
    "CoLU",
    "Derf",
    "DyT",
    "ELiSH",
    "ESwish",
    "Entmax",
    "Entmax15",
    "ErfAct",
    "Exponential",
    "FReLU",
    "FlattenTSwish",
    "GELUTanh",
    "Gaussian",
    "GeGLU",
    "GoLU",
    "GroupSort",
    "GumbelSoftmax",
    "HardELiSH",
    "HardMish",
    "HardShrink",
    "HardSiLU",
    "HardSigmoid",
    "HardSigmoidKeras2",
    "HardTanh",
    "Laplace",
    "LeakyReLU",
    "LiSHT",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "Logish",
    "Maxout",
    "Mish",
    "NLReLU",
    "PReLU",
    "PenalizedTanh",
    "Phish",
    "PolyNorm",
    "PolyReLU",
    "Properties",
    "QuickGELU",
    "RReLU",
    "Rational",
    "ReGLU",
    "ReLU",
    "ReLU6",
    "ReLUSquared",
    "SReLU",
    "ScaledTanh",
    "SeGLU",
    "Serf",
    "ShiftedSoftplus",
    "SiLU",
    "Sigmoid",
    "Sine",
    "SmeLU",
    "Smish",
    "Snake",
    "SnakeBeta",
    "SoLU",
    "SoftClipping",
    "SoftExponential",
    "SoftShrink",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "Sparsemax",
    "Squareplus",
    "StarReLU",
    "SugarReLU",
    "SwiGLU",
    "Swish",
    "Tanh",
    "TanhShrink",
    "TeLU",
    "Threshold",
    "acon_c",
    "apl",
    "aptx",
    "arctan",
    "aria2",
    "bent_identity",
    "bilinear",
    "binary_step",
    "bounded_sigmoid",
    "bounded_tanh",
    "brelu",
    "bsilu",
    "catalogue",
    "celu",
    "clamped_swiglu",
    "clipped_gelu",
    "cloglog",
    "colu",
    "compare",
    "crelu",
    "derf",
    "dyt",
    "e_swish",
    "elish",
    "elu",
    "entmax",
    "entmax15",
    "erf_act",
    "exponential",
    "flatten_t_swish",
    "frelu",
    "gain",
    "gaussian",
    "gcu",
    "geglu",
    "gelu",
    "gelu_tanh",
    "get",
    "glu",
    "golu",
    "group_sort",
    "gumbel_softmax",
    "hard_elish",
    "hard_mish",
    "hard_shrink",
    "hard_sigmoid",
    "hard_sigmoid_keras2",
    "hard_silu",
    "hard_tanh",
    "info",
    "initializer",
    "isrlu",
    "isru",
    "laplace",
    "layer",
    "leaky_relu",
    "linear",
    "lisht",
    "log_sigmoid",
    "log_softmax",
    "logish",
    "maxout",
    "migrate",
    "mish",
    "nlrelu",
    "pelu",
    "penalized_tanh",
    "phish",
    "plot",
    "poly_norm",
    "poly_relu",
    "prelu",
    "properties",
    "quick_gelu",
    "rational",
    "reglu",
    "relu",
    "relu6",
    "relu_squared",
    "replace_activations",
    "rrelu",
    "scaled_tanh",
    "seglu",
    "selu",
    "serf",
    "shifted_softplus",
    "sigmoid",
    "silu",
    "sine",
    "smelu",
    "smish",
    "smu",
    "snake",
    "snake_beta",
    "soft_clipping",
    "soft_exponential",
    "soft_shrink",
    "softmax",
    "softmin",
    "softplus",
    "softsign",
    "solu",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "sqnl",
    "squareplus",
    "srelu",
    "star_relu",
    "sugar_relu",
    "swiglu",
    "swish",
    "tanh",
    "tanh_shrink",
    "telu",
    "threshold",
    "tlu",
    "use",
    "xielu",
]

_keras_strings.install()
