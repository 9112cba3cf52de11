package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maildir reads every message of a Maildir, line ends as LF.
func maildir(t *testing.T, dir string) []string {
	t.Helper()
	var messages []string
	for _, sub := range []string{"new", "cur"} {
		files, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		must(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			must(t, err)
			messages = append(messages, strings.ReplaceAll(string(data), "\r\n", "\n"))
		}
	}
	return messages
}

// about is the messages that carry this Subject.
func about(messages []string, subject string) []string {
	return slices.DeleteFunc(slices.Clone(messages), func(m string) bool {
		head, _, _ := strings.Cut(m, "\n\n")
		return !strings.Contains("\n"+head+"\n", "\nSubject: "+subject+"\n")
	})
}

// header is the value of a header field that must stand exactly once.
func header(t *testing.T, message, name string) string {
	t.Helper()
	head, _, _ := strings.Cut(message, "\n\n")
	var values []string
	for line := range strings.Lines(head) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			values = append(values, strings.TrimSpace(value))
		}
	}
	if len(values) != 1 {
		t.Fatalf("%d %s fields in\n%s", len(values), name, head)
	}
	return values[0]
}

// wantSame says that a member's copy is the post: the body byte for byte, the
// original header fields unchanged and in their order, and between them only
// what a list and the hops on the way may add.
func wantSame(t *testing.T, got, sent string) {
	t.Helper()
	sent = strings.ReplaceAll(sent, "\r\n", "\n")
	gotHead, gotBody, _ := strings.Cut(got, "\n\n")
	sentHead, sentBody, _ := strings.Cut(sent, "\n\n")
	if gotBody != sentBody {
		t.Errorf("the body is not as it was sent\n--- sent\n%q\n--- got\n%q", sentBody, gotBody)
	}
	want := fields(sentHead)
	for _, field := range fields(gotHead) {
		name, _, _ := strings.Cut(field, ":")
		switch {
		case len(want) > 0 && field == want[0]:
			want = want[1:]
		case !mayAdd.MatchString(name):
			t.Errorf("not in the post, or changed: %q", field)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing, or not in its place: %q, in\n%s", want, gotHead)
	}
}

var mayAdd = regexp.MustCompile(`^(Return-Path|Delivered-To|X-Original-To|Received|Sender|Precedence|List-[A-Z][a-z]+)$`)

// fields splits a header into its fields, each with its continuation lines.
func fields(head string) []string {
	var fields []string
	for line := range strings.SplitSeq(head, "\n") {
		if n := len(fields); n > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			fields[n-1] += "\n" + line
		} else {
			fields = append(fields, line)
		}
	}
	return fields
}
