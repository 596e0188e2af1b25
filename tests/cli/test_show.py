"""How the command line shows things."""

import csv
import io

import pytest

from cli.show import print_csv


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
