"""A Chinese font for the printed documents: the system's, or one unpacked into a folder of ours."""

from . import apt, guard, layout, programs

NEEDS_MB = 30


def is_ready():
    return layout.FONTS.is_dir() or bool(programs.output_of(["fc-list", ":lang=zh", "family"]))


def build():
    """Unpack one small font; fontconfig finds it through XDG_DATA_HOME."""
    debian = apt.PrivateApt("The Chinese font")
    debs = debian.download(["fonts-wqy-microhei"], layout.BUILDING / "font-debs")
    with guard.building(layout.FONTS) as folder:
        for deb in debs:
            apt.unpack(deb, folder, exclude=("./usr/share/doc/*",))
    guard.remove(layout.BUILDING / "font-debs")
