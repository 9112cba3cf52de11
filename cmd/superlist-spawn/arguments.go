package main

import (
	"errors"
	"fmt"
	"strings"
)

// arguments reads what the program was called with, as package flag would: -c
// FILE, with one dash or two, or joined by "=". That package is 37 KB, which a
// program that starts for every session does without.
func arguments(args []string) (config string, help bool, err error) {
	for len(args) > 0 {
		name, value, joined := strings.Cut(args[0], "=")
		args = args[1:]
		switch name {
		case "-c", "--c":
			if !joined && len(args) == 0 {
				return "", false, errors.New("flag needs an argument: -c")
			}
			if !joined {
				value, args = args[0], args[1:]
			}
			config = value
		case "-h", "--h", "-help", "--help":
			return "", true, nil
		default:
			return "", false, fmt.Errorf("unknown argument %q", name)
		}
	}
	return config, false, nil
}
