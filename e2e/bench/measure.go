package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// contender is one program in a comparison.
type contender struct {
	name    string
	argv    []string
	stdin   string                 // a file, "" for none
	env     []string               // beside that of all
	prepare func() error           // before each run, not timed
	check   func(out string) error // after each run, not timed
	user    *syscall.Credential    // nil: as the bench itself
	report  *os.File               // descriptor 3; nil: none
	times   int                    // what is measured is a part, and the whole so many times as much; 0: 1
	took    []time.Duration
	cpu     []time.Duration
}

// race runs the contenders turn by turn, so that whatever the machine does in
// the meantime meets all of them, and leaves the first round uncounted.
func race(rounds int, cs ...*contender) error {
	defer progress("")
	for i := range rounds + 1 {
		for _, k := range rand.Perm(len(cs)) { // or each would always profit from the one before
			c := cs[k]
			progress(fmt.Sprintf("%s %d/%d", c.name, i, rounds))
			took, cpu, err := c.once()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if i > 0 {
				times := time.Duration(max(c.times, 1))
				c.took = append(c.took, took*times)
				c.cpu = append(c.cpu, cpu*times)
			}
		}
	}
	return nil
}

// once runs the whole process once: from before the fork until it is reaped.
func (c *contender) once() (took, cpu time.Duration, err error) {
	if c.prepare != nil {
		if err := c.prepare(); err != nil {
			return 0, 0, err
		}
	}
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	// GOMAXPROCS and TZ as postfix-master.cf.example and contrib set them.
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "GOMAXPROCS=1", "TZ=UTC", "REMOTE_ADDR=" + peerAddress}
	cmd.Env = append(cmd.Env, c.env...)
	if c.user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.user}
	}
	if c.stdin != "" {
		in, err := os.Open(c.stdin)
		if err != nil {
			return 0, 0, err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	if c.report != nil {
		cmd.ExtraFiles = []*os.File{c.report}
	}
	// A dialogue's replies fit into a pipe, so nobody need read along.
	r, w, err := os.Pipe()
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w

	start := time.Now()
	err = cmd.Start()
	if err == nil {
		err = cmd.Wait()
	}
	took = time.Since(start)

	w.Close()
	var out bytes.Buffer
	io.Copy(&out, r)
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %s", err, out.String())
	}
	cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if c.check != nil {
		if err := c.check(out.String()); err != nil {
			return 0, 0, err
		}
	}
	return took, cpu, nil
}

// table prints the contenders' times.
func table(cs ...*contender) {
	fmt.Printf("  %-34s %10s %10s %10s %10s\n", "", "median", "min", "max", "CPU")
	for _, c := range cs {
		fmt.Printf("  %-34s %10s %10s %10s %10s\n", c.name,
			ms(median(c.took)), ms(slices.Min(c.took)), ms(slices.Max(c.took)), ms(median(c.cpu)))
	}
}

// ratio compares two contenders round by round and gives the median.
func ratio(a, b *contender) (mid float64, line string) {
	rs := make([]float64, len(a.took))
	for i := range rs {
		rs[i] = float64(a.took[i]) / float64(b.took[i])
	}
	slices.Sort(rs)
	mid = rs[len(rs)/2]
	if len(rs)%2 == 0 {
		mid = (mid + rs[len(rs)/2-1]) / 2
	}
	return mid, fmt.Sprintf("  %-58s %6.3f  (%.3f … %.3f)", a.name+" / "+b.name, mid, rs[0], rs[len(rs)-1])
}

func median(ds []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(ds))
	if len(s)%2 == 0 {
		return (s[len(s)/2] + s[len(s)/2-1]) / 2
	}
	return s[len(s)/2]
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

var terminal = func() bool {
	st, err := os.Stderr.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}()

// progress keeps one line on a terminal; "" wipes it.
func progress(s string) {
	if !terminal {
		return
	}
	if len(s) > 70 {
		s = s[:70]
	}
	fmt.Fprintf(os.Stderr, "\r%s\r%s", strings.Repeat(" ", 72), s)
}
