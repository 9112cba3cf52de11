package main

import (
	"flag"
	"io"
	"testing"
)

// TestArguments: what package flag makes of the arguments is the right answer.
func TestArguments(t *testing.T) {
	for _, args := range [][]string{
		nil, {"-c", "file"}, {"--c", "file"}, {"-c=file"}, {"--c=file"}, {"-c="}, {"-c", ""}, {"-c", "-h"}, {"-c", "a", "-c", "b"}, {"-c=a=b"},
		{"-c"}, {"--c"}, {"-h"}, {"-help"}, {"--help"}, {"-c", "file", "-h"}, {"-h=x"}, {"-x"}, {"--verbose"}, {"file"}, {"-c", "file", "more"}, {"-cfile"}, {"---c", "file"}, {""},
	} {
		flags := flag.NewFlagSet(program, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		want := flags.String("c", "", "")
		wrong := flags.Parse(args)
		config, help, err := arguments(args)
		if asked := wrong == flag.ErrHelp; asked != help {
			t.Errorf("%q: help is %t, want %t", args, help, asked)
		} else if bad := !asked && (wrong != nil || flags.NArg() > 0); bad != (err != nil) {
			t.Errorf("%q: %v, want %v, and %q are left", args, err, wrong, flags.Args())
		} else if !asked && !bad && config != *want {
			t.Errorf("%q: %q, want %q", args, config, *want)
		}
	}
}
