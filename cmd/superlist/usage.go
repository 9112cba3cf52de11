package main

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// whatFor explains the placeholders of command lines.
var whatFor = map[string]string{
	"LIST": "which list", "ADDRESS": "which address", "NAME": "which post, by the name that superlist held ls shows",
	"ID": "which message, by the id that superlist queue ls shows", "NUMBER": "which post, by its number", "KEY=VALUE": "what to set",
	"FILE": "which file", "DIR": "which directory", "OLD": "which one", "NEW": "the new address",
}

// missing returns the error for a command line that ends too early: what is missing,
// and where it goes. It returns nil if nothing is missing.
func missing(c *cobra.Command, given int) error {
	for i, word := range strings.Fields(c.Use)[1:] {
		if i < given {
			continue
		}
		word = strings.TrimSuffix(word, "...")
		if what := whatFor[word]; what != "" {
			_, form, _ := strings.Cut(c.Use, " ")
			return fmt.Errorf("say %s: %s %s", what, c.CommandPath(), form)
		}
		return nil
	}
	return nil
}

// args wraps cobra's checks so that they end in exUsage. If an argument is missing, it
// is named; otherwise the usage is shown.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, a []string) error {
		err := check(c, a)
		if err == nil {
			return nil
		}
		if lacks := missing(c, len(a)); lacks != nil {
			return usageError{lacks}
		}
		return usageError{fmt.Errorf("%w\n\n%s", err, c.UsageString())}
	}
}

// usageTemplate is cobra's, with flags wrapped to the width of a terminal.
func usageTemplate(c *cobra.Command) string {
	return strings.ReplaceAll(c.UsageTemplate(), "FlagUsages ", "FlagUsagesWrapped 80 ")
}

// version identifies the build, for bug reports: the commit and its date, if it was
// built from a clone.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	set := make(map[string]string)
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	v := info.Main.Version
	if commit := set["vcs.revision"]; commit != "" {
		v = "commit " + commit[:min(len(commit), 12)] + " of " + set["vcs.time"]
		if set["vcs.modified"] == "true" {
			v += ", changed since"
		}
	}
	return v + ", " + info.GoVersion
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "version", Short: "Show which build this is", Example: "  superlist version", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			data := struct {
				Version string `json:"version"`
			}{version()}
			return answer(c, asJSON, data, "superlist %s", data.Version)
		}}
	jsonFlag(c, &asJSON)
	return c
}

// denied adds to an error what to do about a file that this process may not use.
func (a *app) denied(err error) error {
	var path *fs.PathError
	if a.opened == nil || !errors.Is(err, fs.ErrPermission) || !errors.As(err, &path) {
		return err
	}
	k := &checker{site: a.opened}
	return fmt.Errorf("%w; %s", err, k.mend(err, path.Path))
}
