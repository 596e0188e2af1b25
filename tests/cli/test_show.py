"""How the command line shows things."""

import csv
import io
import os
import sys

import pytest

from cli.show import print_csv
from engine.service.migration.wishes import read_relations


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=cmd()", "\r=cmd()", "\n=cmd()"])
def test_a_spreadsheet_takes_no_cell_of_a_csv_for_a_formula(capsys, text):
    print_csv(["reason", "n"], [[text, -1], [[text, "x"], None]])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out, newline=""), delimiter=";"))
    shown = "'" + text.replace("\r", "\n")
    assert rows[1:] == [[shown, "-1"], [f"{shown}, x", ""]]


def test_a_line_break_in_a_value_begins_no_row(capsys):
    print_csv(["reason"], [["agreed\r=cmd()"], ["a\r\nb"]])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out, newline=""), delimiter=";"))
    assert rows[1:] == [["agreed\n=cmd()"], ["a\nb"]]


def test_a_file_says_that_it_is_utf_8_and_a_pipe_does_not(monkeypatch, tmp_path):
    file = tmp_path / "kreis.csv"
    for _ in range(2):  # as with >>: only the beginning of a file is marked
        with file.open("a", encoding="utf-8", newline="") as stream:
            monkeypatch.setattr(sys, "stdout", stream)
            print_csv(["procedure", "step", "sender", "recipient"], [["p", "s", "a", "Völklingen"]])
            monkeypatch.undo()
    line = b"procedure;step;sender;recipient\np;s;a;" + "Völklingen".encode() + b"\n"
    assert file.read_bytes() == b"\xef\xbb\xbf" + line + line
    assert read_relations(b"\xef\xbb\xbf" + line, "kreis.csv") == read_relations(line, "kreis.csv")
    ours, theirs = os.pipe()
    with open(theirs, "w", encoding="utf-8", newline="") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        print_csv(["n"], [[1]])
        monkeypatch.undo()
    with open(ours, "rb") as stream:
        assert stream.read() == b"n\n1\n"
