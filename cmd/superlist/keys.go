package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"superlist/lists/config"
	"superlist/lists/edit"
	"superlist/lists/settings"
)

// helpWidth is the longest line of a help text, in columns.
const helpWidth = 79

// settingHelp returns the meaning of each key of list.toml, with its default.
func settingHelp() string {
	var b strings.Builder
	for _, g := range settings.Groups(settings.List) {
		for _, k := range g.Keys {
			fmt.Fprintf(&b, "  %s=%s\n", k.Name, k.Default)
		}
		b.WriteString(wrap(g.Text, "      "))
	}
	return b.String()
}

// wrap breaks a text into lines that begin with indent.
func wrap(text, indent string) string {
	var b strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		if line != indent && len(line)+len(" ")+len(word) > helpWidth {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}

// fix returns how to correct a mistake in a configuration: the line, and the meaning of
// the key.
func fix(wrong *config.Error) string {
	file := settings.Site
	if base := filepath.Base(wrong.File); base == "list.toml" || base == edit.DefaultsFile {
		file = settings.List
	}
	if text := settings.Explain(file, wrong.Key); text != "" {
		return fmt.Sprintf("fix that line; %s means: %s", wrong.Key, strings.TrimSuffix(text, "."))
	}
	return "fix that line"
}
