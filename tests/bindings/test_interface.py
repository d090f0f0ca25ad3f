# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed: headers, symbols, documentation, versions. Nothing here runs a link."""

import glob
import os
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from session import PREFIX
from gi.repository import IceSession

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SYMBOLS = SOURCE / "debian" / "libice-session-1.0-0.symbols"
GIR = os.path.join(PREFIX, "share", "gir-1.0", "IceSession-1.0.gir")
LIBRARY = os.path.join(PREFIX, "lib", "libice-session-1.0.so.0")
CORE = "{http://www.gtk.org/introspection/core/1.0}"
C = "{http://www.gtk.org/introspection/c/1.0}"
GLIB = "{http://www.gtk.org/introspection/glib/1.0}"
CALLABLES = [CORE + name for name in ("function", "method", "constructor")]
DOCUMENTED = CALLABLES + [CORE + name for name in ("class", "interface", "record", "enumeration", "constant", "property", "member")]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pkg_config(option):
    return output("pkg-config", option, "ice-session-1.0").split()


def described():
    """All that is in the namespace of the GIR, but for the class structures: no class can be derived from."""
    namespace = ElementTree.parse(GIR).getroot().find(CORE + "namespace")
    return [element for element in namespace.iter() if not element.get("name", "").endswith("Class")]


class Headers(unittest.TestCase):
    FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]

    def compile(self, command, language, header):
        result = subprocess.run([*command, *self.FLAGS, *pkg_config("--cflags"), "-x", language, "-"],
                                input=f"#include <{header}>\nint main (void) {{ return 0; }}\n", capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""), header)

    def test_each_compiles_alone(self):
        root = os.path.join(PREFIX, "include", "ice-session-1.0")
        headers = [os.path.relpath(path, root) for path in glob.glob(os.path.join(root, "*", "*.h"))]
        self.assertIn("session/ice-session.h", headers)
        for header in headers:
            self.compile(["cc", "-std=c11"], "c", header)
        for standard in ("c++11", "c++20"):
            self.compile(["c++", "-std=" + standard], "c++", "session/ice-session.h")

    def test_one_has_them_all(self):
        root = pathlib.Path(PREFIX, "include", "ice-session-1.0")
        text = (root / "session/ice-session.h").read_text()
        for path in root.glob("*/ics-*.h"):
            if path.name != "ics-macros.h":
                self.assertIn(f"#include <{path.relative_to(root)}>", text)

    def test_a_cxx_program_links(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "program")
            source = ('#include <session/ice-session.h>\nint main () { g_autoptr (IcsLink) link = ics_link_new (nullptr, "test/1"); '
                      "return ICS_CHECK_VERSION (0, 1, 0) && link != nullptr ? 0 : 1; }\n")
            subprocess.run(["c++", "-std=c++17", *self.FLAGS[1:], *pkg_config("--cflags"), "-x", "c++", "-", "-x", "none", "-o", program,
                            *pkg_config("--libs")], input=source, check=True, text=True)
            subprocess.run([program], check=True)


class Symbols(unittest.TestCase):
    def test_what_is_exported_is_described_and_listed(self):
        exported = {line.split()[-1].split("@")[0] for line in output("nm", "-D", "--defined-only", LIBRARY).splitlines()}
        elements = described()
        names = {element.get(C + "identifier") for element in elements if element.tag in CALLABLES}
        names |= {element.get(GLIB + "get-type") for element in elements if element.get(GLIB + "get-type")}
        listed = {line.split("@")[0].strip() for line in SYMBOLS.read_text().splitlines() if line.startswith(" ")}
        self.assertEqual(exported, names)
        self.assertEqual(exported, listed, f"a change of the interface: say so in {SYMBOLS} and NEWS")
        self.assertTrue(all(name.startswith("ics_") for name in exported))

    def test_soname(self):
        self.assertIn("Library soname: [libice-session-1.0.so.0]", output("readelf", "-d", LIBRARY))


class Documentation(unittest.TestCase):
    def test_everything_has_some(self):
        missing = []
        for element in described():
            name = element.get(C + "identifier") or element.get("name")
            if element.tag in DOCUMENTED or element.tag == GLIB + "signal":
                if element.find(CORE + "doc") is None:
                    missing.append(f"{element.tag.split('}')[1]} {name}")
                if element.tag != CORE + "member" and element.get("version") is None:
                    missing.append(f"the release that brought {name}")
            if element.tag in CALLABLES + [GLIB + "signal"]:
                missing += [f"{part.tag.split('}')[1]} {part.get('name', '')} of {name}" for part in self.parts(element)
                            if part.find(CORE + "doc") is None]
        self.assertEqual(missing, [])

    @staticmethod
    def parts(element):
        parameters = element.find(CORE + "parameters")
        yield from [] if parameters is None else parameters
        result = element.find(CORE + "return-value")
        if result.find(CORE + "type") is None or result.find(CORE + "type").get("name") != "none":
            yield result

    def test_what_can_fail_says_how(self):
        """A function that has an error says which, in the parameter's words: the scanner leaves that parameter out of the GIR."""
        for header in (SOURCE / folder for folder in ("session", "transport", "signaling")):
            for path in header.glob("ics-*.h"):
                for block in path.read_text().split("/**")[1:]:
                    if "GError **error" in block and "\n * ics_" in block:
                        self.assertIn("@error: return location for an error", block, path)


class Versions(unittest.TestCase):
    def test_all_say_the_same(self):
        macros = (IceSession.MAJOR_VERSION, IceSession.MINOR_VERSION, IceSession.MICRO_VERSION)
        self.assertEqual(macros, (IceSession.get_major_version(), IceSession.get_minor_version(), IceSession.get_micro_version()))
        self.assertEqual(".".join(map(str, macros)), pkg_config("--modversion")[0])


class Readme(unittest.TestCase):
    def test_its_c_program_compiles(self):
        program = (SOURCE / "README").read_text().split("```c\n")[1].split("```")[0]
        subprocess.run(["cc", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", *pkg_config("--cflags"),
                        "-x", "c", "-"], input=program, check=True, text=True)

    def test_it_has_the_python_program(self):
        program = (SOURCE / "examples" / "two-hosts.py").read_text()
        self.assertLessEqual(len(program.splitlines()), 20)
        self.assertTrue(f"```python\n{program}```\n" in (SOURCE / "README").read_text(), "README has another two-hosts.py")


