package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/edit"
	"superlist/lists/letter"
	"superlist/lists/site"
)

// manuals are README.md and docs/, by file.
func manuals(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

// inFence divides a text of Markdown into its fenced blocks, by language, and the rest.
func inFence(text string) (blocks map[string][]string, rest string) {
	blocks = make(map[string][]string)
	for i, part := range strings.Split("\n"+text, "\n```") {
		if language, block, _ := strings.Cut(part, "\n"); i%2 == 1 {
			blocks[language] = append(blocks[language], block)
		} else {
			rest += part
		}
	}
	return blocks, rest
}

// span is what stands between backquotes.
var span = regexp.MustCompile("`([^`\n]+)`")

// word is a word of a shell's command, with what is in quotes or $() in it, or what ends
// a command.
var word = regexp.MustCompile(`[|&;<>]+|(?:[^\s"'$|&;<>]|"[^"]*"|'[^']*'|\$\([^)]*\)|\$)+`)

// commandsIn returns the commands of superlist in a text for a shell, or of an example in
// a command's help.
func commandsIn(text string) (commands [][]string) {
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", "")) {
		line, _, _ = strings.Cut(line, " #")
		var words []string
		for _, w := range append(word.FindAllString(line, -1), ";") {
			if !strings.ContainsAny(w[:1], "|&;<>") {
				words = append(words, strings.NewReplacer(`"`, "", "'", "").Replace(w))
				continue
			}
			if len(words) > 1 && words[0] == "superlist" && words[1] != "completion" && words[1] != "1" {
				commands = append(commands, words)
			}
			words = nil
		}
	}
	return commands
}

// isCommand wants a command, and its flags, to exist, and as many arguments as it takes unless
// it is only named.
func isCommand(t *testing.T, where string, words []string, whole bool) {
	t.Helper()
	said := strings.Join(words, " ")
	root := newRoot()
	found, rest, err := root.Find(words[1:])
	if err != nil || found == root && !slices.Contains([]string{"--help"}, strings.Join(rest, " ")) {
		t.Errorf("%s: %q: there is no such command: %v", where, said, err)
		return
	}
	if !whole {
		for _, word := range rest {
			name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if strings.HasPrefix(word, "--") && found.Flags().Lookup(name) == nil {
				t.Errorf("%s: %q: there is no %s", where, said, word)
			}
		}
		return
	}
	if err := found.ParseFlags(rest); err != nil {
		t.Errorf("%s: %q: %v", where, said, err)
	} else if err := found.ValidateArgs(found.Flags().Args()); err != nil {
		t.Errorf("%s: %q: %v", where, said, err)
	}
}

// TestManualsCommands: each command of superlist that README.md and docs/ show or name
// exists, with its flags and arguments.
func TestManualsCommands(t *testing.T) {
	shown, named := 0, 0
	for file, text := range manuals(t) {
		blocks, rest := inFence(text)
		for _, block := range blocks["sh"] {
			for _, words := range commandsIn(block) {
				shown++
				isCommand(t, file, words, true)
			}
		}
		for _, m := range span.FindAllStringSubmatch(rest, -1) {
			for _, words := range commandsIn(m[1]) {
				named++
				isCommand(t, file, words, false)
			}
		}
	}
	if shown < 50 || named < 40 {
		t.Errorf("only %d commands are shown, and %d named", shown, named)
	}
}

// isSetting reports whether a line of TOML sets a key of one of our files, wherever it
// stands there, and the error if the value is of another type.
func isSetting(line string) (is bool, err error) {
	name, _, _ := strings.Cut(line, " =")
	var in func(table config.Table) bool // it is read there
	in = func(table config.Table) bool {
		for _, k := range table.Keys() {
			if k.Name == name {
				if is, err = true, config.Decode("said", line, table); err == nil {
					return true
				}
			}
			if sub, ok := k.To.(config.Sub); ok && in(sub.Table) {
				return true
			}
			if many, ok := k.To.(config.Tables); ok && in(many.Add()) {
				return true
			}
		}
		return false
	}
	_ = in(new(lists.Config)) || in(new(site.Site))
	return is, err
}

// setting is a key with a value, as list.toml and superlist.toml have it.
var setting = regexp.MustCompile(`^[a-z_]+ = [^…]*$`)

// TestManualsSettings: what README.md and docs/ would have somebody write into
// superlist.toml or list.toml is read there.
func TestManualsSettings(t *testing.T) {
	n := 0
	for file, text := range manuals(t) {
		blocks, rest := inFence(text)
		for _, block := range blocks["toml"] {
			n++
			inSite, inList := config.Decode(file, block, new(site.Site)), config.Decode(file, block, new(lists.Config))
			if inSite == nil || inList == nil {
				continue
			}
			dir := t.TempDir() // defaults.toml and texts.toml
			for _, name := range []string{"texts.toml", edit.DefaultsFile} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(block), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, inTexts := letter.Own(dir)
			if inDefaults := edit.CheckDefaults(lists.Of(&site.Site{ListsDir: dir})); inTexts != nil && inDefaults != nil {
				t.Errorf("%s:\n%s\n%v; %v; %v; %v", file, block, inSite, inList, inTexts, inDefaults)
			}
		}
		for _, m := range span.FindAllStringSubmatch(rest, -1) {
			if !setting.MatchString(m[1]) || ofOthers.MatchString(m[1]) {
				continue
			}
			n++
			if is, err := isSetting(m[1]); !is || err != nil {
				t.Errorf("%s: %s: is a setting %t, %v", file, m[1], is, err)
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d settings", n)
	}
}

// ofOthers are settings of Postfix, a restriction class that is named in one, and settings
// of PostgreSQL and pgbouncer.
var ofOthers = regexp.MustCompile(`^(smtpd?_|lists = |ssl = |pool_mode = )`)

// message is a reply, or a sentence.
var message = regexp.MustCompile(`^([245][0-9][0-9] .*|([a-z']+ )+[a-z']+)$`)

// foreign are the first words of commands of other programs.
var foreign = strings.Fields("apt b4 import go make member postfix rpm service superlist systemctl")

// TestManualsMessages: what README.md and docs/ quote of superlist, a reply, a line of the
// log, a message, is what it says.
func TestManualsMessages(t *testing.T) {
	var all strings.Builder
	for _, dir := range []string{"..", "../../lists", "../../smtp", "../../queue", "../../milter", "../../testdata", "../../contrib", "../../e2e"} {
		filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() && slices.Contains([]string{".go", ".toml", ".txtar", ".session", ".cf", ".example", ".txt", ".html"}, filepath.Ext(path)) && filepath.Base(path) != "manuals_test.go" {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Error(err)
				}
				all.Write(text)
			}
			return err
		})
	}
	said := strings.ReplaceAll(all.String(), `\"`, `"`)
	n := 0
	for file, text := range manuals(t) {
		_, rest := inFence(text)
		for _, m := range span.FindAllStringSubmatch(rest, -1) {
			if first, _, _ := strings.Cut(m[1], " "); !message.MatchString(m[1]) || slices.Contains(foreign, first) {
				continue
			}
			n++
			for part := range strings.SplitSeq(m[1], "…") {
				if part = strings.TrimSpace(part); !strings.Contains(said, part) {
					t.Errorf("%s: nothing says %q of `%s`", file, part, m[1])
				}
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d messages", n)
	}
}
