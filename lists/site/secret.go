package site

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// maxPassword is the longest first line of a password file.
const maxPassword = 1024

// Password returns the password for the relay; empty if there is none.
func (r *Relay) Password() (string, error) { return firstLine("relay.password_file", r.PasswordFile) }

// Password returns the password for the database; empty if there is none.
func (c *Cluster) Password() (string, error) {
	return firstLine("cluster.password_file", c.PasswordFile)
}

func firstLine(key, file string) (line string, err error) {
	if file == "" {
		return "", nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", key, err)
		}
	}()
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPassword))
	if err != nil {
		return "", err
	}
	line, _, _ = strings.Cut(string(text), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", fmt.Errorf("%s: the first line is empty", file)
	}
	return line, nil
}
