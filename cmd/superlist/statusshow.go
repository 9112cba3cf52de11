package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"superlist/lists/status"
	"superlist/lists/tally"
	"superlist/queue"
)

const (
	// lateRun is the age of the last run from which status warns: a timer or cron
	// starts a run every minute.
	lateRun = 10 * time.Minute

	// lateMail is how long due mail may wait for a run.
	lateMail = 10 * time.Minute
)

// fill adds the counts of the tally, and decides what needs attention.
func (v *statusView) fill() {
	if v.Status == nil {
		return
	}
	end := v.Hours[len(v.Hours)-1].From.Add(time.Hour)
	for i := range v.Hours {
		v.Hours[i].Posts = v.Tally.Between("posts", v.Hours[i].From, v.Hours[i].From.Add(time.Hour))
	}
	v.Counts = make(map[string]spans)
	for _, k := range tally.Kinds {
		v.Counts[k.Name] = spans{
			v.Tally.Between(k.Name, end.Add(-time.Hour), end), v.Tally.Between(k.Name, end.Add(-day), end), v.Tally.Counts[k.Name].Total,
		}
	}
	look := func(format string, a ...any) { v.Look = append(v.Look, fmt.Sprintf(format, a...)) }
	if v.Census.Faulty > 0 {
		look("%s cannot be opened", plural(v.Census.Faulty, "list"))
	}
	for _, b := range v.Queue {
		if b.Overdue != nil && v.now.Sub(*b.Overdue) > lateMail {
			look("something in %s has been due for %s: nothing starts superlist deliver", b.Box, age(*b.Overdue, v.now))
		}
		if b.Box == queue.Failed && b.Messages > 0 {
			look("%s given up: superlist queue ls", plural(b.Messages, "message"))
		}
	}
	for _, d := range v.Disks {
		switch {
		case d.Error != "":
			look("%s", d.Error)
		case !d.Enough:
			look("%s: too little room, no mail is accepted", d.Path)
		}
	}
	for _, c := range v.Certificates {
		switch {
		case c.Error != "":
			look("certificate: %s", c.Error)
		case c.Until.Sub(v.now) < renewalTime:
			look("certificate %s ends %s", c.File, c.Until.UTC().Format("2006-01-02 15:04 UTC"))
		}
	}
	if b := v.Deliver.Began; !v.Deliver.Running && (b == nil || v.now.Sub(*b) > lateRun) && v.Census.Lists > 0 {
		look("superlist deliver has not run %s", since(b, v.now))
	}
	if v.Shared != nil {
		for _, text := range v.Shared.Look {
			look("cluster: %s", text)
		}
	}
	if n := v.Counts["troubles"].Hour; n > 0 {
		look("%s about trouble in the log of the last hour", plural(int(n), "line"))
	}
}

// since returns how long ago a time was: for 12m3s.
func since(at *time.Time, now time.Time) string {
	if at == nil {
		return "yet"
	}
	return "for " + age(*at, now)
}

// age returns how long ago a time was: 12m3s. A clock that was set back makes it 0.
func age(at, now time.Time) string { return roughly(max(now.Sub(at), 0).Round(time.Second)) }

func (v *statusView) print(out io.Writer) {
	paint := painter(out)
	t := table{"", "", ""}.rows()
	census := func(c status.Census) {
		t.add("members", fmt.Sprint(c.Members), ofThem(c.Suspended, "suspended"))
		t.add("held posts", fmt.Sprint(c.Held), "")
		t.add("want to join", fmt.Sprint(c.Waiting), "")
	}
	if v.List != nil {
		t.add("list", v.List.Address, v.List.State+", post = "+v.List.Post)
		census(v.List.Census)
		if v.List.LastPost != nil {
			t.add("last post", v.List.LastPost.Local().Format("2006-01-02 15:04"), "")
		}
	} else {
		t.add("lists", fmt.Sprint(v.Census.Lists), ofThem(v.Census.Faulty, "faulty"))
		census(v.Census)
		for _, b := range v.Queue {
			text := ""
			if b.Oldest != nil {
				text = "the oldest is " + age(*b.Oldest, v.now) + " old"
				if b.Box != queue.Failed {
					text = fmt.Sprintf("%d due, ", b.Due) + text
				}
			}
			t.add(string(b.Box), fmt.Sprint(b.Messages), text)
		}
		for _, d := range v.Disks {
			free := d.Error
			if free == "" {
				free = fmt.Sprintf("%d MiB free", d.Bytes>>20)
			}
			t.add(d.Of, free, d.Path)
		}
		for _, c := range v.Certificates {
			until := c.Error
			if c.Until != nil {
				until = "until " + c.Until.UTC().Format(time.DateOnly)
			}
			t.add("certificate", until, c.File)
		}
		if c := v.Shared; c != nil {
			t.add("database", c.database(), plural(len(c.Hosts), "host"))
			t.add("copy", c.copied(), "")
		}
		run := "never"
		switch b := v.Deliver.Began; {
		case v.Deliver.Running:
			run = "runs now"
		case b != nil:
			run = age(*b, v.now) + " ago"
		}
		t.add("deliver", run, "")
		if d := v.Deliver.Digest; d != nil {
			t.add("last digest", d.Local().Format("2006-01-02 15:04"), "")
		}
	}
	t.print(out)
	fmt.Fprintln(out)
	v.printCounts(out)
	v.printGraph(out)
	for _, text := range v.Look {
		fmt.Fprintf(out, "%s %s\n", paint("look:"), printable(text))
	}
}

func ofThem(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d of them %s", n, what)
}

func (v *statusView) printCounts(out io.Writer) {
	t := table{"LAST", "HOUR", "DAY"}.rows()
	row := func(what string, of func(hour) int64) {
		var sum int64
		for _, h := range v.Hours {
			sum += of(h)
		}
		t.add(what, fmt.Sprint(of(v.Hours[len(v.Hours)-1])), fmt.Sprint(sum))
	}
	if v.Status != nil || v.Unread == "" {
		row("posts", func(h hour) int64 { return h.Posts })
	}
	if v.Unread == "" {
		row("accepted", func(h hour) int64 { return h.Accepted })
		row("refused", func(h hour) int64 { return h.Refused })
	}
	if v.Status != nil {
		for _, k := range []struct{ name, what string }{
			{"posts_held", "held"}, {"recipients_sent", "sent, recipients"}, {"recipients_refused", "refused by the relay"},
			{"deferrals", "deferred"}, {"recipients_given_up", "given up"}, {"bounces", "bounces"}, {"suspensions", "suspended"},
			{"subscribed", "joined"}, {"unsubscribed", "left"},
		} {
			t.add(k.what, fmt.Sprint(v.Counts[k.name].Hour), fmt.Sprint(v.Counts[k.name].Day))
		}
	}
	t.print(out)
	if v.Unread != "" {
		say(out, "what sessions accepted and refused is not known: %s\n", v.Unread)
	}
}

// printGraph prints the posts of the day, one column for each hour.
func (v *statusView) printGraph(out io.Writer) {
	var most int64
	for _, h := range v.Hours {
		most = max(most, h.Posts)
	}
	if most == 0 {
		return
	}
	bars := []rune(" ▁▂▃▄▅▆▇█")
	if !speaksUTF8() {
		bars = []rune(" .:-=+*#@")
	}
	var line strings.Builder
	for _, h := range v.Hours {
		// Any number above zero is visible.
		n := (h.Posts*int64(len(bars)-1) + most - 1) / most
		line.WriteRune(bars[n])
	}
	fmt.Fprintf(out, "\nposts  24 hours ago |%s| now; at most %d an hour\n", line.String(), most)
}

// speaksUTF8 reports whether the terminal's locale has more than ASCII.
func speaksUTF8() bool {
	for _, key := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := os.Getenv(key); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

// painter returns a function that highlights words on a terminal. Without highlighting
// the words say the same.
func painter(out io.Writer) func(string) string {
	if !isTerminalWriter(out) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return func(s string) string { return s }
	}
	return func(s string) string { return "\x1b[1;31m" + s + "\x1b[0m" }
}
