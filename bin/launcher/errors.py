"""What a person is told when something cannot go on: one sentence that names the next step."""

import errno
import os


class OmsError(Exception):
    """A problem that is explained in its message; the launcher prints it and ends."""


class DiskFull(OmsError):
    """No space left where the launcher works."""

    def __init__(self, folder, needed_mb=None, free_mb=None):
        if needed_mb:
            what = f"{free_mb} MB are free and {needed_mb} MB are needed"
        else:
            what = "no space is left"
        super().__init__(
            f"The disk of {folder} is full: {what}. Free some space, "
            "or choose a folder on another disk: OMS_HOME=/other/folder ./oms ..."
        )


def explain_os_error(error, folder):
    """Return the sentence for an ``OSError`` that no step expected."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return str(DiskFull(folder))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{error.filename or folder} may not be written by user {os.getuid()}. Give it to that user, "
            "or choose another folder: OMS_HOME=/other/folder ./oms ..."
        )
    return f"{error.filename or folder}: {error.strerror or error}."
