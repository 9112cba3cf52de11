package files

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/ledger"
)

const togetherEnv = "LEDGER_TOGETHER"

// workers is how many processes are at it at once, and rounds how often.
const workers, rounds = 3, 30

// together is what one process does, at the same time as others. It prints a word for
// each thing that it alone has done.
func together(task string) {
	me, root, _ := strings.Cut(task, "\n")
	w := Writer{}
	must := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	for i := range rounds {
		if err := w.Count(limits(root), 1, now); err == nil {
			fmt.Println("counted")
		} else if err != errFull {
			must(err)
		}
		r, err := w.First(list(root), ledger.Decided, ledger.Record{Name: fmt.Sprint("name", i), Text: me + "\nwords", At: now})
		must(err)
		if r.Cause() == me {
			fmt.Println("first", i)
		}
		must(w.Remember(list(root), ledger.Requests, "shared", now, func(old ledger.Record, _ bool) (string, error) {
			return old.Text + me + "\n", nil
		}))
		must(w.Enter(list(root), ledger.Left, []string{fmt.Sprint(me, ".", i)}, now))

		at := now.AddDate(0, 0, i)
		must(w.Remind(agenda(root), me, at))
		due, err := agenda(root).Due(at, 1000)
		must(err)
		mine := false
		for _, r := range due {
			if r.Subject == me && r.At.Equal(at) {
				mine = true
			}
		}
		if !mine {
			must(fmt.Errorf("reminder %d of %s is not there", i, me))
		}
		shared := agenda(root).Reminder("shared", now.AddDate(0, 0, -i))
		if release, ok, err := w.Claim(shared); ok {
			fmt.Println("did", i)
			must(w.Done(shared))
			release()
		} else {
			must(err)
		}
		must(w.Done(agenda(root).Reminder(me, at)))
		if i%10 == 0 {
			must(w.Sweep(list(root), now))
			must(w.SweepAgenda(agenda(root), now))
		}
	}
}

// TestTogether: several processes at once count no more than there may be, one of them
// is first, one does what is due, and nothing that any of them remembers is lost.
func TestTogether(t *testing.T) {
	t.Parallel()
	root := site(t)
	for i := range rounds {
		if err := (Writer{}).Remind(agenda(root), "shared", now.AddDate(0, 0, -i)); err != nil {
			t.Fatal(err)
		}
	}
	var cmds [workers]*exec.Cmd
	var outs [workers]strings.Builder
	for k := range cmds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), togetherEnv+"="+fmt.Sprint("w", k, "\n", root))
		cmd.Stdout, cmd.Stderr = &outs[k], &outs[k]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds[k] = cmd
	}
	said := make(map[string]int)
	for k, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, outs[k].String())
		}
		for line := range strings.Lines(outs[k].String()) {
			said[strings.TrimSpace(line)]++
		}
	}
	most := limits(root)[0].Most
	if said["counted"] != int(most) || limits(root)[0].Sum(now) != most || limits(root)[1].Sum(now) != most {
		t.Errorf("%d were counted, want %d", said["counted"], most)
	}
	left, err := list(root).Entries(ledger.Left)
	if err != nil {
		t.Error(err)
	}
	for i := range rounds {
		if n := said[fmt.Sprint("first ", i)]; n != 1 {
			t.Errorf("%d were first at %d", n, i)
		}
		if n := said[fmt.Sprint("did ", i)]; n != 1 {
			t.Errorf("%d did %d", n, i)
		}
		for k := range workers {
			if left[fmt.Sprint("w", k, ".", i)] == "" {
				t.Errorf("entry %d of %d is lost", i, k)
			}
		}
	}
	if r, _, _ := list(root).Recall(ledger.Requests, "shared", now); strings.Count(r.Text, "\n") != workers*rounds {
		t.Errorf("%d lines of %d", strings.Count(r.Text, "\n"), workers*rounds)
	}
	if left, _ := filepath.Glob(filepath.Join(agenda(root).Dir, "*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
