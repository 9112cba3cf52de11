package bounces

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlist/lists/mail/bounce"
)

var (
	usual = Rules{Mode: "auto", Days: 5, Window: 365, SuspendedDays: 30}
	start = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
)

func gone(words string) Reason { return Reason{Class: bounce.Gone, Words: words} }

// life plays what happens to one address, a day after the other: on which days a post
// comes back, and whether a probe does. It gives what was decided on which day.
func life(rules Rules, days int, class func(day int) bounce.Class, probeComesBack func(day int) bool) (steps []string, r Record) {
	for d := range days {
		now := start.AddDate(0, 0, d)
		if c := class(d); c != "" && r.Suspended.IsZero() && r.Removed.IsZero() {
			for range 3 { // posts
				r.Count(now, Reason{Class: c}, now)
			}
		}
		for range 3 {
			step := r.Step(rules, now, nil)
			if step == "" {
				break
			}
			r.Do(step, now)
			steps = append(steps, fmt.Sprintf("%d %s", d, step))
			if step == Probed && probeComesBack(d) {
				r.Returned(r.Probe.At, Reason{Class: r.Probe.Class}, now)
			}
			if step == Removed {
				return steps, r
			}
		}
	}
	return steps, r
}

func always(c bounce.Class) func(int) bounce.Class { return func(int) bounce.Class { return c } }

func every(n int, c bounce.Class) func(int) bounce.Class {
	return func(d int) bounce.Class {
		if d%n == 0 {
			return c
		}
		return ""
	}
}

func yes(int) bool { return true }
func no(int) bool  { return false }

// TestLives: what becomes of addresses, on busy lists and on quiet ones.
func TestLives(t *testing.T) {
	weekly := func(from int) (s string) {
		for i := range 4 {
			s += fmt.Sprintf("; %d probed", from+7*(i+1))
		}
		return s
	}
	for name, test := range map[string]struct {
		rules Rules
		class func(int) bounce.Class
		back  func(int) bool
		want  string
	}{
		"gone, a hundred posts a day":   {usual, always(bounce.Gone), yes, "4 probed; 4 suspended" + weekly(4) + "; 34 removed"},
		"full, a hundred posts a day":   {usual, always(bounce.Full), yes, "9 probed; 9 suspended" + weekly(9) + "; 39 removed"},
		"gone, one post a month":        {usual, every(30, bounce.Gone), yes, "120 probed; 120 suspended" + weekly(120) + "; 150 removed"},
		"full, one post a month":        {usual, every(30, bounce.Full), yes, "270 probed; 270 suspended" + weekly(270) + "; 300 removed"},
		"refused for what is in it":     {usual, always(bounce.Content), yes, ""},
		"refused for who sends it":      {usual, always(bounce.Policy), yes, ""},
		"not now":                       {usual, always(bounce.Temporary), yes, ""},
		"nobody knows why":              {usual, always(bounce.Unknown), yes, ""},
		"a weekend's outage":            {usual, func(d int) bounce.Class { return map[bool]bounce.Class{true: bounce.Gone}[d < 4] }, no, ""},
		"there all the time":            {usual, every(60, bounce.Gone), no, "240 probed; 242 cleared"},
		"once in a quarter is too long": {Rules{Mode: "auto", Days: 5, Window: 300, SuspendedDays: 30}, every(90, bounce.Gone), yes, ""},
		"notify":                        {Rules{Mode: "notify", Days: 5, Window: 365, SuspendedDays: 30}, always(bounce.Gone), yes, "4 notified; 34 notified; 64 notified; 94 notified; 124 notified; 154 notified; 184 notified; 214 notified; 244 notified; 274 notified; 304 notified; 334 notified; 364 notified; 394 notified"},
		"off":                           {Rules{Mode: "off", Days: 5, Window: 365, SuspendedDays: 30}, always(bounce.Gone), yes, ""},
		"one day is enough":             {Rules{Mode: "auto", Days: 1, Window: 1, SuspendedDays: 1}, always(bounce.Gone), yes, "0 probed; 0 suspended; 1 removed"},
		"back after three weeks":        {usual, func(d int) bounce.Class { return map[bool]bounce.Class{true: bounce.Gone}[d < 10] }, func(d int) bool { return d < 20 }, "4 probed; 4 suspended; 11 probed; 18 probed; 25 probed; 27 reinstated"},
		"full, and emptied":             {usual, func(d int) bounce.Class { return map[bool]bounce.Class{true: bounce.Full}[d < 12] }, func(d int) bool { return d < 12 }, "9 probed; 9 suspended; 16 probed; 22 reinstated"},
	} {
		if steps, _ := life(test.rules, 400, test.class, test.back); strings.Join(steps, "; ") != test.want {
			t.Errorf("%s: %s\nwant %s", name, strings.Join(steps, "; "), test.want)
		}
	}
}

// TestOnceADay: a day counts once, as its worst.
func TestOnceADay(t *testing.T) {
	var r Record
	for i, test := range []struct {
		class bounce.Class
		after time.Duration
		news  bool
		score float64
	}{
		{bounce.Full, 0, true, 0.5},
		{bounce.Full, time.Hour, false, 0.5},
		{bounce.Gone, 2 * time.Hour, true, 1},
		{bounce.Full, 3 * time.Hour, false, 1},
		{bounce.Policy, 25 * time.Hour, false, 1},
		{bounce.Full, 25 * time.Hour, true, 1.5},
		{bounce.Gone, 11*time.Hour + 59*time.Minute, false, 1.5}, // comes late, for a day that is counted
	} {
		now := start.Add(test.after)
		if news := r.Count(now, Reason{Class: test.class}, now); news != test.news || r.Score(usual, start.AddDate(0, 0, 1), nil) != test.score {
			t.Errorf("%d: news %t, score %g", i, news, r.Score(usual, start.AddDate(0, 0, 1), nil))
		}
	}
	if score := r.Score(usual, start.AddDate(0, 0, 365), nil); score != 0.5 {
		t.Errorf("the first day counts for longer than the window: %g", score)
	}
	if score := r.Score(usual, start.AddDate(0, 0, 364), nil); score != 1.5 {
		t.Errorf("the first day counts for less than the window: %g", score)
	}
	for d := range 2 * maxDays {
		r.Count(start, gone(""), start.AddDate(0, 0, d))
	}
	if len(r.Days) != maxDays {
		t.Errorf("%d days are kept", len(r.Days))
	}
}

// TestProbeOnce: a probe comes back once, and only the one that is under way.
func TestProbeOnce(t *testing.T) {
	r := Record{}
	r.Do(Probed, start)
	sent := r.Probe.At
	if r.Returned(sent.Add(-time.Second), gone(""), start) || r.Returned(sent.Add(time.Second), gone(""), start) {
		t.Error("another probe has come back")
	}
	for _, c := range []bounce.Class{bounce.Content, bounce.Policy, bounce.Temporary, bounce.Unknown} {
		if r.Returned(sent, Reason{Class: c}, start) {
			t.Errorf("%s counts against a probe", c)
		}
	}
	if !r.Returned(sent, gone(""), start) || r.Step(usual, start, nil) != Suspended {
		t.Fatal("it has not come back")
	}
	r.Do(Suspended, start)
	if r.Returned(sent, gone(""), start) {
		t.Error("it has come back twice")
	}
	if !r.Heard(start.AddDate(0, 0, 1), "has posted") || r.Returned(sent, gone(""), start.AddDate(0, 0, 1)) || r.Step(usual, start.AddDate(0, 0, 1), nil) != "" {
		t.Errorf("replayed against somebody who was heard of since: %+v", r)
	}
	if r.Heard(start.AddDate(0, 0, 1), "has posted") {
		t.Error("nothing spoke against them")
	}

	// Late: a full mailbox is reported after five days.
	r = Record{}
	r.Do(Probed, start)
	sent = r.Probe.At
	late := start.Add(probeWait)
	if r.Step(usual, late.Add(-time.Second), nil) != "" || r.Step(usual, late, nil) != Cleared {
		t.Errorf("%s", r.Step(usual, late, nil))
	}
	r.Do(Cleared, late)
	if !r.Returned(sent, gone(""), late.AddDate(0, 0, 3)) || r.Step(usual, late.AddDate(0, 0, 3), nil) != Suspended {
		t.Error("a probe that comes back late says nothing")
	}

	// A notice that it is under way.
	r = Record{}
	r.Do(Probed, start)
	if !r.delayed(r.Probe.At) || r.delayed(r.Probe.At) || r.Step(usual, late, nil) != "" || r.Step(usual, start.Add(probeWaitFull), nil) != Cleared {
		t.Errorf("%+v", r)
	}
}

// TestVoid: posts that nobody wanted count against nobody.
func TestVoid(t *testing.T) {
	var r Record
	for d := range 5 {
		r.Count(start.AddDate(0, 0, d), gone(""), start.AddDate(0, 0, d))
	}
	now := start.AddDate(0, 0, 4)
	if r.Step(usual, now, nil) != Probed {
		t.Fatal(r.Step(usual, now, nil))
	}
	if step := r.Step(usual, now, func(post int64) bool { return post == start.Unix() }); step != "" {
		t.Error(step)
	}
}

// TestNext: a list is looked at when something is to be done, and not before.
func TestNext(t *testing.T) {
	var r Record
	if at := r.Next(usual, start, time.UTC); !at.IsZero() {
		t.Error(at)
	}
	r.Count(start, gone(""), start)
	if at := r.Next(usual, start, time.UTC); !at.IsZero() {
		t.Error("one bounce is no appointment", at)
	}
	r.Do(Probed, start)
	if at := r.Next(usual, start, time.UTC); !at.Equal(start.Add(probeWait)) {
		t.Error(at)
	}
	r.Returned(r.Probe.At, gone(""), start)
	r.Do(Suspended, start)
	if at := r.Next(usual, start, time.UTC); !at.Equal(time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)) {
		t.Error("the owners hear it at midnight:", at)
	}
	r.Events = nil
	if at := r.Next(usual, start, time.UTC); !at.Equal(start.Add(probeEvery)) {
		t.Error(at)
	}
	text, err := r.Text()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := new(Record), error(nil); err == nil {
		*again = Parse(text)
		if twice, _ := again.Text(); twice != text {
			t.Errorf("%s\n%s", text, twice)
		}
	}
	if broken := Parse("{"); !broken.idle() {
		t.Errorf("%+v", broken)
	}
}
