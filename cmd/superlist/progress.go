package main

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// A progress shows on the terminal how far a command has got, once it takes longer than
// a second. If the command is interrupted, it prints what was done and what remains.
type progress struct {
	on    bool
	stops bool // the command stops by itself where it is interrupted

	mu          sync.Mutex
	began, last time.Time
	shown       bool
	what        string
	done, total int
	signals     chan os.Signal
}

func newProgress() *progress { return &progress{began: time.Now(), on: isTerminal(os.Stderr)} }

// exInterrupted is the exit code that a shell reports for a program ended by SIGINT.
const exInterrupted = 128 + int(syscall.SIGINT)

// step shows how many are done of how many; a total of 0 means that it is unknown.
func (p *progress) step(what string, done, total int) {
	if !p.on {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.done, p.total = what, done, total
	now := time.Now()
	if now.Sub(p.began) < time.Second || now.Sub(p.last) < time.Second/10 {
		return
	}
	p.last, p.shown = now, true
	of := ""
	if total > 0 {
		of = fmt.Sprintf(" of %d (%d%%)", total, done*100/total)
	}
	fmt.Fprintf(os.Stderr, "\r\x1b[K%s: %d%s", printable(what), done, of)
	if p.signals == nil && !p.stops {
		p.signals = make(chan os.Signal, 1)
		signal.Notify(p.signals, os.Interrupt, syscall.SIGTERM)
		go p.wait(p.signals)
	}
}

// wait ends the process as the signal would have, and prints what remains. Nothing is
// lost by that: commands change things by renames.
func (p *progress) wait(signals chan os.Signal) {
	if _, ok := <-signals; !ok {
		return
	}
	p.mu.Lock() // and no step any more
	fmt.Fprintf(os.Stderr, "\r\x1b[Ksuperlist: %s\n", p.remains())
	os.Exit(exInterrupted)
}

// remains returns what an interrupted command leaves to do.
func (p *progress) remains() string {
	text := fmt.Sprintf("interrupted; %s: %d done", printable(p.what), p.done)
	if p.total > p.done {
		text += fmt.Sprintf(", %d remain", p.total-p.done)
	}
	return text + "; nothing is half-done, call it again for the rest"
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.signals != nil {
		signal.Stop(p.signals)
		close(p.signals)
		p.signals = nil
	}
	if p.shown {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		p.shown = false
	}
	p.on = false
}
