"""Random models: well-structured ones that must end, and wild graphs that must at least never fall silent."""

import random

_LEAVES = (
    "user {id}",
    "manual {id}",
    "service {id}",
    "receive {id} message=In",
    "catch {id} timer=PT1H",
    "catch {id} signal=Sig",
    'script {id} code="n = n + 1"',
    "throw {id} escalation=Nobody",
    "throw {id} signal=Sig",
    "user {id} multi=parallel count=2",
    "user {id} multi=sequential over=items as=item",
    "service {id} multi=parallel count=3 until=numberOfCompletedInstances>1",
    "user {id} loop=True max=2",
)
_BOXES = (
    "sub {id}",
    "tx {id}",
    "adhoc {id}",
    'adhoc {id} enough="n >= 0"',
    "call {id} process=Called_{id}",
    "call {id} process=Called_{id} multi=sequential count=2",
    "sub {id} multi=parallel count=2",
    "sub {id} multi=sequential count=2",
    "sub {id} loop=True max=2",
)


class Drawer:
    """Draws one random, well-structured model; every block has one entry and one exit."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.count = 0
        self.called: dict[str, str] = {}
        """The called processes, by id."""

    def draw(self) -> str:
        """Return the drawing."""
        lines, first, last = self.block(4)
        return "\n".join([f"start s -> {first}", *_aim(lines, last, "e"), "end e"])

    def name(self, kind: str) -> str:
        """Return a fresh id."""
        self.count += 1
        return f"{kind}{self.count}"

    def block(self, depth: int) -> tuple[list[str], str, str]:
        """Return lines, the entry's id and the id of the element that still lacks its way out."""
        kinds = [
            "leaf",
            "leaf",
            "sequence",
            "sequence",
            "xor",
            "and",
            "or",
            "box",
            "box",
            "boundary",
            "loop",
            "race",
            "undo",
            "cancel",
        ]
        kind = "leaf" if depth <= 0 else self.chance.choice(kinds)
        drawn: tuple[list[str], str, str] = getattr(self, f"_{kind}")(depth - 1)
        return drawn

    def _leaf(self, depth: int) -> tuple[list[str], str, str]:
        name = self.name("t")
        return [self.chance.choice(_LEAVES).format(id=name)], name, name

    def _sequence(self, depth: int) -> tuple[list[str], str, str]:
        lines, first, last = self.block(depth)
        for _ in range(self.chance.randrange(1, 3)):
            more, entry, exit_ = self.block(depth)
            lines = [*_aim(lines, last, entry), *more]
            last = exit_
        return lines, first, last

    def _split(self, depth: int, kind: str, conditions: list[str]) -> tuple[list[str], str, str]:
        split, join = self.name("f"), self.name("j")
        lines, ways = [], []
        for condition in conditions:
            more, entry, exit_ = self.block(depth)
            lines += _aim(more, exit_, join)
            ways.append(f"{entry}{condition}")
        return [f"{kind} {split} -> {', '.join(ways)}", *lines, f"{kind} {join}"], split, join

    def _xor(self, depth: int) -> tuple[list[str], str, str]:
        return self._split(depth, "xor", [self._condition(), " default"])

    def _and(self, depth: int) -> tuple[list[str], str, str]:
        return self._split(depth, "and", [""] * self.chance.randrange(2, 4))

    def _or(self, depth: int) -> tuple[list[str], str, str]:
        return self._split(depth, "or", [self._condition(), self._condition(), " default"])

    def _condition(self) -> str:
        return self.chance.choice([" if True", " if False", " if n > 2", " if n < 5"])

    def _box(self, depth: int) -> tuple[list[str], str, str]:
        name = self.name("p")
        lines, first, last = self.block(depth)
        inside = [f"start {name}s -> {first}", *_aim(lines, last, f"{name}e"), f"end {name}e"]
        head = self.chance.choice(_BOXES).format(id=name)
        if head.startswith("adhoc"):
            # Nothing follows the last element there; a gateway that decides would lack its default flow.
            inside = _aim([*lines, f"manual {name}z"], last, f"{name}z") if decides(lines, last) else lines
        elif self.chance.random() < 0.3:
            beside = self.chance.choice(["", " alongside"])
            inside += [
                f"esub {name}x",
                f"    start {name}i message=Note{beside} -> {name}u",
                f"    user {name}u",
            ]
        if head.startswith("call"):
            self.called[f"Called_{name}"] = "\n".join(inside)
            return [head], name, name
        return [head, *("    " + line for line in inside)], name, name

    def _undo(self, depth: int) -> tuple[list[str], str, str]:
        """Something that can be compensated, then a throw that compensates it or all of its level."""
        lines, name, _ = self._box(depth) if self.chance.random() < 0.5 else self._waiting()
        throw, merge = self.name("v"), self.name("m")
        lines = _aim(lines, name, throw)
        if self.chance.random() < 0.6:
            handler = self.name("h")
            lines += [f"boundary {handler}b on={name} compensate={handler}", f"user {handler} undo"]
        named = f"={name}" if self.chance.random() < 0.5 else ""
        waits = "" if self.chance.random() < 0.7 else " nowait"
        return [*lines, f"throw {throw} compensate{named}{waits} -> {merge}", f"xor {merge}"], name, merge

    def _cancel(self, depth: int) -> tuple[list[str], str, str]:
        """A transaction that may be cancelled after its content."""
        name, side, merge = self.name("x"), self.name("u"), self.name("m")
        lines, first, last = self.block(depth)
        inside = [
            f"start {name}s -> {first}",
            *_aim(lines, last, f"{name}g"),
            f"xor {name}g -> {name}k if n > {self.chance.randrange(6)}, {name}e default",
            f"end {name}k cancel",
            f"end {name}e",
        ]
        boundary = f"boundary {self.name('b')} on={name} cancel -> {side}"
        body = [f"tx {name} -> {merge}", *("    " + line for line in inside)]
        return [*body, boundary, f"user {side} -> {merge}", f"xor {merge}"], name, merge

    def _boundary(self, depth: int) -> tuple[list[str], str, str]:
        lines, name, _ = self._box(depth) if self.chance.random() < 0.6 else self._waiting()
        trigger = self.chance.choice(["message=Stop", "timer=PT5H", "signal=Sig", "timer=R2/PT2H alongside"])
        side, merge = self.name("u"), self.name("m")
        if trigger.endswith("alongside"):
            return (
                [*lines, f"boundary {self.name('b')} on={name} {trigger} -> {side}", f"user {side}"],
                name,
                name,
            )
        lines = _aim(lines, name, merge)
        boundary = f"boundary {self.name('b')} on={name} {trigger} -> {side}"
        return [*lines, boundary, f"user {side} -> {merge}", f"xor {merge}"], name, merge

    def _waiting(self) -> tuple[list[str], str, str]:
        name = self.name("w")
        return (
            [self.chance.choice(["user {id}", "service {id}", "receive {id} message=In"]).format(id=name)],
            name,
            name,
        )

    def _loop(self, depth: int) -> tuple[list[str], str, str]:
        merge, tick, gate = self.name("m"), self.name("k"), self.name("g")
        lines, first, last = self.block(depth)
        counter = f"r{self.count}"
        begin = self.name("k")
        return (
            [
                f'script {begin} code="{counter} = 0" -> {merge}',
                f"xor {merge} -> {first}",
                *_aim(lines, last, tick),
                f'script {tick} code="{counter} = {counter} + 1" -> {gate}',
                f"xor {gate} -> {merge} if {counter} < 2",
            ],
            begin,
            gate,
        )

    def _race(self, depth: int) -> tuple[list[str], str, str]:
        race, one, two, merge = self.name("r"), self.name("c"), self.name("c"), self.name("m")
        return (
            [
                f"race {race} -> {one}, {two}",
                f"catch {one} message=In -> {merge}",
                f"catch {two} timer=PT3H -> {merge}",
                f"xor {merge}",
            ],
            race,
            merge,
        )


def decides(lines: list[str], name: str) -> bool:
    """Tell whether the element ``name`` of a drawing is an exclusive gateway with a way out already."""
    return any(line.startswith(f"xor {name} ->") for line in lines)


def _aim(lines: list[str], source: str, target: str) -> list[str]:
    """Return ``lines`` with a flow from ``source`` to ``target`` added."""
    aimed = []
    for line in lines:
        words = line.split()
        if not line.startswith(" ") and len(words) > 1 and words[1] == source:
            suffix = " default" if words[0] == "xor" and "->" in line else ""
            aimed.append(f"{line}, {target}{suffix}" if "->" in line else f"{line} -> {target}")
        else:
            aimed.append(line)
    return aimed


def wild(seed: int) -> str:
    """Return a graph with flows wherever they fell."""
    chance = random.Random(seed)
    size = chance.randrange(3, 9)
    names = [f"n{number}" for number in range(size)]
    lines = ["start s -> n0"]
    for name in names:
        kind = chance.choice(["user", "user", "xor", "and", "or", "or", "task", "end", "sub"])
        if kind == "end":
            extra = chance.choice(["", "", " terminate", " error=Oops", " escalation=Up"])
            lines.append(f"end {name}{extra}")
            continue
        targets = chance.sample(names, k=min(size, chance.randrange(1, 4)))
        ways = []
        for position, target in enumerate(targets):
            decides = kind in ("xor", "or") and len(targets) > 1
            condition = " default" if position == len(targets) - 1 else f" if n > {chance.randrange(4)}"
            ways.append(target + (condition if decides else ""))
        lines.append(f"{kind} {name} -> {', '.join(ways)}")
        if kind == "sub":
            lines += [f"    user {name}a -> {name}x", f"    end {name}x" + chance.choice(["", " error=Oops"])]
            if chance.random() < 0.5:
                lines.append(f"boundary {name}b on={name} error -> {chance.choice(names)}")
    return "\n".join(lines)
