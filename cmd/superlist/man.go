//go:build man

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"superlist/lists/settings"
	"superlist/lists/status"
)

// This program writes the man pages, and is not a part of superlist:
//
//	go run -tags man ./cmd/superlist BIN OUT
//
// BIN has the session programs, whose -h is their page; OUT gets man1, man5 and man8.
// Cobra's own cobra/doc goes by way of Markdown, which takes the columns of a help text
// for prose and *@example.net for emphasis.
func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run -tags man ./cmd/superlist BIN OUT")
		os.Exit(64)
	}
	if err := writePages(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func writePages(bin, out string) error {
	pages := make(map[string]string)
	addCommands(pages, newRoot())
	for _, program := range []string{"superlist-spawn", "superlist-session", "superlist-milter", "superlist-policy", "superlist-web"} {
		text, err := exec.Command(filepath.Join(bin, program), "-h").Output()
		if err != nil {
			return fmt.Errorf("%s -h: %w", program, err)
		}
		pages[program+".8"] = programPage(program, string(text))
	}
	pages["superlist.toml.5"] = keysPage("superlist.toml", "the configuration of superlist", settings.Site, siteIntro)
	pages["list.toml.5"] = keysPage("list.toml", "the settings of a mailing list", settings.List, listIntro)
	for _, name := range []string{"rules.5", "superlist-spool.5", "superlist-log.5"} {
		text, err := os.ReadFile(filepath.Join("docs", "man", name))
		if err != nil {
			return err
		}
		pages[name] = strings.Replace(string(text), "@DATE@", date(), 1)
	}
	pages["superlist-metrics.5"] = metricsPage()
	for name, text := range pages {
		dir := filepath.Join(out, "man"+name[len(name)-1:])
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// metricsPage explains what "metrics" of superlist.toml has written.
func metricsPage() string {
	var b strings.Builder
	b.WriteString(title("superlist-metrics", "5", "File formats") + named("superlist-metrics", "how much there is of everything, for Prometheus"))
	b.WriteString(".SH DESCRIPTION\n" + fill(escape("At the end of each run, and once an hour in a long one, superlist deliver writes the file that metrics in superlist.toml names, for the textfile collector of Prometheus's node_exporter. It has the text format of Prometheus. A reader finds the old file or the new one.")))
	b.WriteString(".PP\n" + fill(escape("Lists, members, held posts and requests are counted once an hour, the rest each time. What sessions refuse stands in the log alone: sessions write nothing. Counters begin when superlist first counts, and lose at most what a process had not yet saved that was killed. Names do not change.")))
	b.WriteString(".PP\n" + fill(escape("contrib/prometheus has alert rules and a dashboard for Grafana.")))
	b.WriteString(".SS Metrics\n")
	for _, f := range status.Families() {
		about := f.Kind
		if f.Label != "" {
			about += ", by " + f.Label
		}
		b.WriteString(".TP\n.B " + escape(f.Name) + "\n" + fill(escape(f.Help+" ("+about+")")))
	}
	b.WriteString(".SH SEE ALSO\n.BR superlist\\-status (1),\n.BR superlist\\-log (5),\n.BR superlist.toml (5)\n")
	return b.String()
}

// date returns the date of the last commit, so that the same source makes the same
// pages; outside a clone, today.
func date() string {
	if out, err := exec.Command("git", "log", "-1", "--format=%cs").Output(); err == nil && len(out) > 0 {
		return strings.TrimSpace(string(out))
	}
	return time.Now().Format(time.DateOnly)
}

func title(name, section, about string) string {
	return fmt.Sprintf(".TH %s %s \"%s\" superlist \"%s\"\n", escape(strings.ToUpper(name)), section, date(), about)
}

// named returns the section that apropos(1) reads.
func named(name, about string) string {
	return ".SH NAME\n" + fill(escape(name)+` \- `+escape(about))
}

// escape escapes a text for roff: minus signs can be copied, and nothing becomes a roff
// command.
func escape(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '\\':
			b.WriteString(`\e`)
		case c == '-':
			b.WriteString(`\-`)
		case c == '"':
			b.WriteString(`\(dq`)
		case c == '\'':
			b.WriteString(`\(aq`)
		case c > '~':
			fmt.Fprintf(&b, `\[u%04X]`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// line returns a text line for roff that does not begin a command.
func line(s string) string {
	s = escape(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s + "\n"
}

// fill breaks a paragraph into lines that are short enough for an editor. Some words
// may already be escaped.
func fill(text string) string {
	var b strings.Builder
	width := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case width > 0 && width+1+len(word) > helpWidth:
			b.WriteString("\n")
			width = 0
		case width > 0:
			b.WriteString(" ")
			width++
		}
		if width == 0 && (word[0] == '.' || word[0] == '\'') {
			word = `\&` + word
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String() + "\n"
}

// prose formats paragraphs. Indented lines, and the lines between them, are shown as
// they are.
func prose(text string) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if !strings.Contains("\n"+paragraph, "\n  ") {
			b.WriteString(fill(escape(paragraph)))
			continue
		}
		b.WriteString(".nf\n")
		for text := range strings.SplitSeq(paragraph, "\n") {
			b.WriteString(line(text))
		}
		b.WriteString(".fi\n")
	}
	return b.String()
}

func verbatim(text string) string {
	var b strings.Builder
	b.WriteString(".nf\n")
	for text := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		b.WriteString(line(strings.TrimPrefix(text, "  ")))
	}
	return b.String() + ".fi\n"
}

// refer returns a reference to another page.
func refer(name, section string) string { return ".BR " + escape(name) + " (" + section + ")" }

func references(refs []string) string { return ".SH SEE ALSO\n" + strings.Join(refs, ",\n") + "\n" }

// addCommands makes the page of a command and those of its subcommands.
func addCommands(pages map[string]string, c *cobra.Command) {
	name := pageOf(c)
	var b strings.Builder
	b.WriteString(title(name, "1", "User commands"))
	short := strings.ToLower(c.Short[:1]) + c.Short[1:]
	b.WriteString(named(name, short))
	use := c.UseLine()
	if c.HasAvailableSubCommands() {
		use = c.CommandPath() + " COMMAND ..."
	}
	b.WriteString(".SH SYNOPSIS\n" + line(use))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	b.WriteString(".SH DESCRIPTION\n" + prose(text))
	refs := []string{}
	if c.HasParent() {
		refs = append(refs, refer(pageOf(c.Parent()), "1"))
	}
	var subs []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "completion" {
			subs = append(subs, sub)
		}
	}
	if len(subs) > 0 {
		b.WriteString(".SH COMMANDS\n")
	}
	for _, sub := range subs {
		fmt.Fprintf(&b, ".TP\n%s\n%s", refer(pageOf(sub), "1"), line(sub.Short+"."))
		addCommands(pages, sub)
	}
	b.WriteString(".SH OPTIONS\n")
	c.InitDefaultHelpFlag()
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) { b.WriteString(option(f)) })
	c.InheritedFlags().VisitAll(func(f *pflag.Flag) { b.WriteString(option(f)) })
	if c.HasParent() {
		b.WriteString(".SH EXAMPLES\n" + verbatim(c.Example))
	} else {
		b.WriteString(exitStatus + ".SH FILES\n.TP\n.I /etc/superlist/superlist.toml\nthe configuration; see\n.BR superlist.toml (5)\n" +
			".TP\n.I /var/lib/superlist/lists/DOMAIN/NAME\na list; see\n.BR list.toml (5)\nand\n.BR rules (5)\n" +
			".TP\n.I /var/spool/superlist\nthe queue; see\n.BR superlist\\-spool (5)\n.SH EXAMPLES\n" + verbatim(c.Example))
		refs = append(refs, refer("superlist-spawn", "8"), refer("superlist-session", "8"), refer("superlist-milter", "8"), refer("superlist-policy", "8"), refer("superlist-web", "8"))
	}
	b.WriteString(references(append(refs, refer("superlist.toml", "5"), refer("list.toml", "5"))))
	pages[name+".1"] = b.String()
}

// exitStatus is the section about sysexits(3) in superlist(1).
const exitStatus = `.SH EXIT STATUS
These are the codes of
.BR sysexits (3).
.TP
.B 0
It is done.
.TP
.B 64
The command line is wrong.
.TP
.B 65
What was given cannot be used.
.TP
.B 67
There is no such list, member or message.
.TP
.B 73
There is such a list already.
.TP
.B 75
Try again later.
.TP
.B 78
The configuration is wrong, or superlist check has found an error.
`

func pageOf(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func option(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	kind, usage := pflag.UnquoteUsage(f)
	text := ".TP\n.B " + escape(name) + "\n"
	if kind != "" {
		text = ".TP\n.BI \"" + escape(name) + " \" " + escape(kind) + "\n"
	}
	if usage == "" {
		usage = "-"
	}
	return text + line(strings.ToUpper(usage[:1])+usage[1:]+".")
}

// programPage makes a page of a program's -h: a line with its name, one that begins
// "Usage: ", paragraphs, and indented options.
func programPage(name, text string) string {
	var b strings.Builder
	b.WriteString(title(name, "8", "System administration"))
	var options strings.Builder
	described := false
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		short, isName := strings.CutPrefix(paragraph, name+" - ")
		usage, isUsage := strings.CutPrefix(paragraph, "Usage: ")
		switch {
		case isName:
			b.WriteString(named(name, short))
		case isUsage:
			b.WriteString(".SH SYNOPSIS\n" + line(usage) + ".SH DESCRIPTION\n")
		case strings.HasPrefix(paragraph, "  -"):
			for text := range strings.SplitSeq(paragraph, "\n") {
				flag, what, isFlag := strings.Cut(strings.TrimPrefix(text, "  "), "  ")
				if isFlag && strings.HasPrefix(flag, "-") {
					options.WriteString(".TP\n.B " + escape(flag) + "\n")
					text = what
				}
				options.WriteString(line(strings.TrimSpace(text)))
			}
		default:
			if described {
				b.WriteString(".PP\n")
			}
			described = true
			b.WriteString(prose(paragraph))
		}
	}
	b.WriteString(".SH OPTIONS\n" + options.String())
	b.WriteString(references([]string{refer("superlist", "1"), refer("superlist.toml", "5"), refer("superlist-spool", "5"), refer("spawn", "8")}))
	return b.String()
}

const siteIntro = `superlist.toml has the settings of a host. It is written in TOML, and is read from the file that -c names, else from the one that $SUPERLIST_CONFIG names, else from /etc/superlist/superlist.toml. Every session and every command reads it anew, so a change needs nothing else. An unknown key, or a value that does not fit, is an error: mail is deferred until it is fixed, and superlist check names the file, the line and the key.

A size is bytes, or "512KiB", "25MiB", "1GiB". A time is "30s", "5m", "4h" or "5d". The values below are the defaults.`

const listIntro = `list.toml has the settings of a list. It is in the list's directory, is written in TOML, and is read anew for each message, so a change needs nothing else. Edit it, or use superlist list set, which checks the values first. An unknown key, or a value that does not fit, is an error: posts to the list are deferred until it is fixed, and superlist check names the line and the key.

A size is bytes, or "512KiB", "25MiB", "1GiB". The values below are the defaults.`

// keysPage makes the page of a configuration file.
func keysPage(name, about, file, intro string) string {
	var b strings.Builder
	b.WriteString(title(name, "5", "File formats"))
	b.WriteString(named(name, about) + ".SH DESCRIPTION\n" + prose(intro) + ".SH KEYS\n")
	for _, g := range settings.Groups(file) {
		if g.Table != "" && (len(g.Keys) == 0 || g.Table == "milter") {
			heading := "[" + g.Table + "]"
			if len(g.Keys) > 0 {
				heading = "[" + heading + "]"
			}
			b.WriteString(".SS " + heading + "\n" + prose(g.Text))
		}
		for i, k := range g.Keys {
			b.WriteString(map[bool]string{true: ".TP\n", false: ".TQ\n"}[i == 0])
			b.WriteString(".B " + escape(k.Name+" = "+k.Default) + "\n")
		}
		if len(g.Keys) > 0 && g.Table != "milter" {
			b.WriteString(fill(escape(g.Text)))
		}
	}
	refs := []string{refer("superlist", "1"), refer("superlist-check", "1")}
	if name == "list.toml" {
		refs = append(refs, refer("superlist-list-set", "1"), refer("rules", "5"))
	} else {
		refs = append(refs, refer("superlist-spawn", "8"), refer("superlist-spool", "5"))
	}
	return b.String() + references(refs)
}
