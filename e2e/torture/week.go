package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	day = 24 * time.Hour
	// busyDays are followed by quiet ones, in which what was begun comes to its end.
	busyDays, quietDays = 7, 14
	quietStep           = 6 * time.Hour
	// soon is how long a look may take, on a busy machine.
	soon = 5 * time.Minute
	// heldLife and confirmLife are what docs promise for held posts and questions. What
	// is over is looked for once a day.
	heldLife, confirmLife = 7 * day, 11 * day
	suspendDays           = 7
	// Posts that are held come at other times of the day each.
	heldPosts, heldEvery = 7, 21 * time.Hour
)

// week is a busy week with the night in which summer time begins, and the end of a month;
// then two quiet weeks. The clock is moved from one look of the timer to the next.
func week(r *result, bin, dir string, end time.Time) error {
	began := time.Now() // by the monotonic clock, which is not moved
	first := time.Date(2027, 3, 25, 9, 7, 0, 0, time.UTC)
	if err := setClock(first); err != nil {
		return err
	}
	w, err := newTown(r, bin, dir)
	if err != nil {
		return err
	}
	v := &visitors{town: w, asked: map[string]time.Time{}, answered: map[string]bool{}, returned: map[string]int{}, lastDay: map[string]string{}}
	step, steps := 4*time.Hour, 0
	quiet := first.Add(busyDays * day)
	var looks []time.Time
	for now := first; now.Before(quiet.Add(quietDays * day)); now = now.Add(step) {
		if time.Now().After(end) {
			r.note("time was over on day %d of %d", now.Sub(first)/day+1, busyDays+quietDays)
			break
		}
		if err := setClock(now); err != nil {
			return err
		}
		if now.Before(quiet) {
			if err := w.postTo(daily, weekly); err != nil {
				return err
			}
		}
		if err := v.come(now.Sub(first)); err != nil {
			return err
		}
		if err := w.deliver(); err != nil {
			return err
		}
		if err := v.answer(); err != nil {
			return err
		}
		fmt.Printf("it is %v, %d posts\n", now.In(w.zone).Format("Mon 2 Jan 15:04"), len(w.posted))
		looks = append(looks, now)
		steps++
		if !now.Before(quiet) {
			step = quietStep
			continue
		}
		// The busy week may have half of the time.
		cost := time.Since(began) / time.Duration(steps)
		for _, step = range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour} {
			if time.Duration(quiet.Sub(now)/step)*cost < time.Until(end)/2 {
				break
			}
		}
	}
	if len(looks) == 0 {
		return errors.New("time was over before it began")
	}
	ended := looks[len(looks)-1]
	if err := v.judge(ended, !ended.Before(quiet.Add((quietDays-1)*day))); err != nil {
		return err
	}
	// A digest comes at the first look after midnight.
	return w.came(ended, func(n int) (from, to time.Time) {
		at := w.posted[n].In(w.zone)
		midnight := time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, w.zone)
		if w.list[n] == weekly {
			for midnight.Weekday() != time.Monday {
				midnight = midnight.AddDate(0, 0, 1)
			}
		}
		next, _ := slices.BinarySearchFunc(looks, midnight, time.Time.Compare)
		if next == len(looks) {
			return midnight, ended.Add(day) // nobody has looked any more
		}
		return midnight, looks[next].Add(soon)
	})
}

// visitors are those who have to do with a list besides posts.
type visitors struct {
	*town
	held     []time.Time
	first    time.Time // when mail first came back
	asked    map[string]time.Time
	answered map[string]bool
	returned map[string]int // how often the mail of each has come back
	lastDay  map[string]string
}

const early, late = "early@example.org", "late@example.org"

var returnPath = regexp.MustCompile(`(?m)^Return-Path: <(.*)>$`)

var confirms = regexp.MustCompile(`dev\+confirm-[^@>\s]+@lists\.example\.org`)

// come has them come, when it is their time.
func (v *visitors) come(since time.Duration) error {
	if n := len(v.held); n < heldPosts && since >= 6*time.Hour+time.Duration(n)*heldEvery {
		v.held = append(v.held, wall())
		if err := v.mail("eve@example.net", daily, fmt.Sprintf("From: eve@example.net\r\nSubject: held\r\nMessage-ID: <held.%d@example.net>", n), "held"); err != nil {
			return err
		}
	}
	for _, who := range []string{early, late} {
		if v.asked[who].IsZero() && since >= 12*time.Hour {
			v.asked[who] = wall()
			if err := v.mail(who, "dev+subscribe@lists.example.org", "From: "+who+"\r\nSubject: join", "x"); err != nil {
				return err
			}
		}
		waits := map[string]time.Duration{early: confirmLife - 12*time.Hour, late: confirmLife + day}[who]
		if at := v.asked[who]; at.IsZero() || v.answered[who] || time.Since(at) < waits {
			continue
		}
		v.answered[who] = true
		box, err := v.box(who)
		if err != nil {
			return err
		}
		to := ""
		for _, l := range box {
			to = confirms.FindString(l.text)
		}
		if to == "" {
			v.r.fault(v.r.Part, who, "a letter has no address to confirm by")
			continue
		}
		// Too late it may be refused while they are on the line.
		if err := v.mail(who, to, "From: "+who+"\r\nSubject: yes", "yes"); err != nil && who == early {
			return err
		}
	}
	return nil
}

// answer has mail come back: to gone each day and each letter, to often on three days.
func (v *visitors) answer() error {
	for who, days := range map[string]int{gone: 1000, often: 3} {
		box, err := v.box(who)
		if err != nil {
			return err
		}
		for _, l := range box {
			path := returnPath.FindStringSubmatch(l.text)
			if path == nil {
				return fmt.Errorf("%s: no Return-Path", l.file)
			}
			if strings.HasPrefix(path[1], "news+") {
				continue
			}
			today := l.at.In(v.zone).Format(time.DateOnly)
			isPost := len(numbers(l.text)) > 0
			if isPost && (v.lastDay[who] == today || v.returned[who] >= days) {
				os.Remove(l.file)
				continue
			}
			if v.first.IsZero() {
				v.first = wall()
			}
			if isPost {
				v.returned[who]++
				v.lastDay[who] = today
			}
			report := strings.ReplaceAll("--b\n\nThe mail could not be delivered.\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; "+who+"\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\n\n--b--\n", "\n", "\r\n")
			err := v.mail("", path[1], "From: MAILER-DAEMON@mx.example.com\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b", report)
			if err != nil {
				return err
			}
			os.Remove(l.file)
		}
	}
	return nil
}

// judge holds that all came to its end, not early and not late, as far as it was looked at:
// whole is for all three weeks.
func (v *visitors) judge(ended time.Time, whole bool) error {
	// after holds that a line is there once, so long after something, or a day and a look
	// later: what is over is looked for once a day.
	after := func(what string, begin time.Time, wait time.Duration, found []logged) time.Time {
		var o outcome
		switch late := begin.Add(wait + day + 2*quietStep); {
		case begin.IsZero() && !whole:
			return begin // time was over before
		case begin.IsZero():
			o.faults = append(o.faults, "what comes before did not happen")
		case len(found) > 1:
			o.faults = append(o.faults, fmt.Sprintf("it happened %d times", len(found)))
		case len(found) == 0 && late.Before(ended), len(found) == 1 && found[0].at.After(late):
			o.faults = append(o.faults, "it is late")
		case len(found) == 1 && found[0].at.Before(begin.Add(wait)):
			o.faults = append(o.faults, "it is early")
		}
		v.r.add(what, fmt.Sprintf("begun %v, %v", begin, found), o)
		if len(found) == 0 {
			return time.Time{}
		}
		return found[0].at
	}
	for n, at := range v.held {
		after("a held post expires", at, heldLife, v.find("expired", fmt.Sprintf("<held.%d@example.net>", n)))
	}
	probes := v.find("bounces", "list=<"+daily+">", gone, " probed ") // and each week after it
	probed := after("a probe after five days", v.first, 4*day-12*time.Hour, probes[:min(1, len(probes))])
	suspended := after("a member is suspended whose probe comes back", probed, 0, v.find("bounces", "list=<"+daily+">", gone, " suspended "))
	after("a suspended member is removed", suspended, suspendDays*day, v.find("bounces", "list=<"+daily+">", gone, " removed "))
	after("somebody joins who confirms in time", v.asked[early], confirmLife-day, v.find("subscribed", early))
	for what, none := range map[string][]logged{
		"somebody joins who confirms too late": v.find("subscribed", late), "somebody is probed whose mail came back on three days": v.find("bounces", often, " probed "),
	} {
		var o outcome
		if len(none) > 0 {
			o.faults = append(o.faults, "it happened")
		}
		v.r.add(what, fmt.Sprint(none), o)
	}
	if !whole {
		return nil
	}
	out, err := v.superlist("member", "ls", daily)
	for who, want := range map[string]bool{gone: false, often: true, early: true, late: false, poster: true} {
		var o outcome
		if strings.Contains(out, who) != want {
			o.faults = append(o.faults, fmt.Sprintf("%s is a member: %v", who, !want))
		}
		v.r.add("members at the end", out, o)
	}
	return err
}
