package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// leaps are how far a clock jumps that was wrong, or is: NTP, summer time by hand, a day.
var leaps = []time.Duration{-26 * time.Hour, -2 * time.Hour, -time.Hour, -3 * time.Minute, -30 * time.Second, 30 * time.Second, 5 * time.Minute, time.Hour, 26 * time.Hour}

// jumps posts while the clock jumps, between two runs of deliver and under one that runs.
// At the end the clock is right again, and goes on. All posts have come once.
func jumps(r *result, bin, dir string, end time.Time) error {
	now := time.Date(2027, 3, 27, 21, 7, 0, 0, time.UTC)
	latest := now
	if err := setClock(now); err != nil {
		return err
	}
	w, err := newTown(r, bin, dir)
	if err != nil {
		return err
	}
	leap := func() error {
		now = now.Add(leaps[rand.IntN(len(leaps))])
		if now.After(latest) {
			latest = now
		}
		return setClock(now)
	}
	w.moving = func() error {
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		return leap()
	}
	const fewest = 20
	until := time.Now().Add(time.Until(end) * 3 / 4)
	steps := 0
	for ; steps < fewest || time.Now().Before(until); steps++ {
		now = now.Add(time.Duration(rand.IntN(240)) * time.Minute)
		if err := setClock(now); err != nil {
			return err
		}
		if err := w.postTo(daily, weekly); err != nil {
			return err
		}
		if rand.IntN(2) == 0 {
			if err := leap(); err != nil {
				return err
			}
		}
		if err := w.deliver(); err != nil {
			return err
		}
		fmt.Printf("it is %v, %d posts\n", now.In(w.zone).Format("Mon 2 Jan 15:04"), len(w.posted))
	}
	w.moving = nil
	for range 10 { // a weekly digest comes, too
		latest = latest.Add(day)
		if err := setClock(latest); err != nil {
			return err
		}
		if err := w.deliver(); err != nil {
			return err
		}
	}
	r.note("the clock jumped while deliver ran %d times", steps)
	return w.came(latest, func(int) (from, to time.Time) { return from, latest })
}
