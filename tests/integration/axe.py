"""axe-core in a page: what of it somebody could not read, see or reach."""

from pathlib import Path

#: `make node-tools` puts it there, where there is npm.
AXE = Path(__file__).parents[2] / ".node/node_modules/axe-core/axe.min.js"

# What it finds that is serious, in a part of the page: the rule, and where.
_FOUND = """
async (where) => {
    const {violations} = await axe.run({include: [where]}, {resultTypes: ["violations"]});
    return violations
        .filter(({impact}) => impact === "serious" || impact === "critical")
        .flatMap(({id, nodes}) => nodes.map(({target, any}) => `${id}: ${target} ${any[0]?.message ?? ""}`));
}
"""


def seriousOnes(page, where):
    """What axe-core finds in this part of the page as it is now, where it is there."""
    if not AXE.exists():
        return []
    if page.evaluate("typeof axe") == "undefined":
        # (not as an element: some pages let no script of others in)
        page.evaluate(AXE.read_text())
    return page.evaluate(_FOUND, where)


def seriousInBothThemes(page, where):
    """Likewise light and dark, as the system of the user wants it; of each what is found."""
    found = {}
    for scheme in ("dark", "light"):
        # (with motion, colours would be between two themes for a while)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if problems := seriousOnes(page, where):
            found[scheme] = problems
    return found
