package main

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// whatFor says what a placeholder of a command line stands for.
var whatFor = map[string]string{
	"LIST": "which list", "ADDRESS": "which address", "NAME": "which post, by the name that superlist held ls shows",
	"ID": "which message, by the id that superlist queue ls shows", "NUMBER": "which post, by its number", "KEY=VALUE": "what to set",
	"FILE": "which file", "DIR": "which directory", "OLD": "which one", "NEW": "the new address",
}

// missing is the error of a command line that ends too early: what is still to be
// said, and in what form. nil: nothing is.
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

// args wraps cobra's checks so that they end in exUsage. What is missing is named;
// how the command is called is told where there was something else.
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

// usageTemplate is cobra's, with flags that are wrapped to a terminal's width.
func usageTemplate(c *cobra.Command) string {
	return strings.ReplaceAll(c.UsageTemplate(), "FlagUsages ", "FlagUsagesWrapped 80 ")
}

// version names the build, for whoever reports a fault: the commit and its date,
// where it was made from a clone.
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
	return &cobra.Command{Use: "version", Short: "Show which build this is", Example: "  superlist version", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			say(c.OutOrStdout(), "superlist %s\n", version())
			return nil
		}}
}

// denied says what to do about a file that this process may not use.
func (a *app) denied(err error) error {
	var path *fs.PathError
	if a.opened == nil || !errors.Is(err, fs.ErrPermission) || !errors.As(err, &path) {
		return err
	}
	k := &checker{site: a.opened}
	return fmt.Errorf("%w; %s", err, k.mend(err, path.Path))
}
