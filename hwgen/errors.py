"""The errors a user can cause, each one sentence that names the culprit and says what to do."""


class HwgenError(Exception):
    """Base of every error that the command line shows as one line, with exit code 2."""


class ModelError(HwgenError):
    """The ONNX file cannot be read, or holds something that cannot become hardware."""


class OptionError(HwgenError):
    """An option, a folding file or an argument has no legal meaning for this network."""


class DataError(HwgenError):
    """An input tensor does not have the shape, type or values that the network takes."""


class BuildError(HwgenError):
    """A build folder is missing, incomplete or was changed by hand."""


class ToolError(HwgenError):
    """An external program is missing, too old, or failed."""


class LinkError(HwgenError):
    """A board does not answer, or is not the one that was built."""
