package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"superlist/e2e/figures"
)

const (
	manyMembers = 100_000
	bigMessage  = 100 << 20
)

// memory looks at the most memory a process ever had.
func (b *bench) memory() error {
	fmt.Println("\nPeak memory (resident, of the whole process)")
	if err := b.deliverMemory(); err != nil {
		return err
	}
	return b.spawnMemory()
}

func (b *bench) deliverMemory() error {
	to, title, err := b.anySink()
	if err != nil {
		return err
	}
	defer to.stop()
	s, err := b.newSite("many", siteOptions{log: "none", members: manyMembers, relay: to.address()})
	if err != nil {
		return err
	}
	dialogue, err := b.dialogue()
	if err != nil {
		return err
	}
	if err := s.post(dialogue); err != nil {
		return err
	}
	row := fmt.Sprintf("superlist deliver, %d members to %s", manyMembers, title)
	if err := b.peak(row, 64, "/dev/null", b.bin+"/superlist", "-c", s.config, "deliver"); err != nil {
		return err
	}
	if err := s.empty(""); err != nil {
		return err
	}
	return exactly(to, manyMembers)
}

func (b *bench) anySink() (sink, string, error) {
	if s, err := b.smtpSink(); err == nil {
		return s, "smtp-sink", nil
	}
	s, err := newVerpSink()
	return s, "the bench's own sink", err
}

func (b *bench) spawnMemory() error {
	s, err := b.newSite("big", siteOptions{log: "none", members: 3, relay: "127.0.0.1:9", size: "200MiB"})
	if err != nil {
		return err
	}
	path := filepath.Join(b.work, "big-dialogue")
	if err := os.WriteFile(path, bigDialogue(), 0o644); err != nil {
		return err
	}
	return b.peak("superlist-spawn, a message of 100 MiB", 16, path, b.bin+"/superlist-spawn", "-c", s.config)
}

func bigDialogue() []byte {
	var buf bytes.Buffer
	buf.WriteString(opening())
	buf.WriteString(crlf(message()))
	line := strings.Repeat("0123456789abcdef", 4) + "\r\n"
	for n := 0; n < bigMessage; n += len(line) {
		buf.WriteString(line)
	}
	buf.WriteString(closing)
	return buf.Bytes()
}

// peak runs a command below the small helper that reads its usage.
func (b *bench) peak(row string, wantMiB float64, stdin string, argv ...string) error {
	in, err := os.Open(stdin)
	if err != nil {
		return err
	}
	defer in.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := exec.Command(b.bin+"/rss", argv...)
	cmd.Stdin = in
	cmd.ExtraFiles = []*os.File{w}
	out, err := cmd.CombinedOutput()
	w.Close()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", row, err, out)
	}
	if stdin != os.DevNull {
		if err := accepted(string(out)); err != nil {
			return err
		}
	}
	var kib int
	if _, err := fmt.Fscan(r, &kib); err != nil {
		return err
	}
	mib := float64(kib) / 1024
	fmt.Printf("  %-58s %6.1f MiB  %s\n", row, mib, b.note(figures.Figure{What: "most memory, " + strings.TrimPrefix(row, "memory: "), Unit: "MiB", Ours: mib, Want: wantMiB}))
	return nil
}
