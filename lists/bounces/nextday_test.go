package bounces

import (
	"testing"
	"time"
)

// TestTellOnTheNextDay: owners hear of a day's events on the next, also where clocks are
// put forward at midnight and there is no such hour.
func TestTellOnTheNextDay(t *testing.T) {
	for zone, day := range map[string]time.Time{
		"America/Havana":   time.Date(2027, 3, 13, 12, 0, 0, 0, time.UTC),
		"America/Santiago": time.Date(2027, 9, 4, 12, 0, 0, 0, time.UTC),
		"Europe/Berlin":    time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC),
	} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		r := Record{Address: "a@example.com"}
		r.happened(day, Suspended, "", true)
		at := r.Next(Rules{}, day, loc)
		if !at.After(day) || at.In(loc).Day() == day.In(loc).Day() {
			t.Errorf("%s: the next look is at %s", zone, at.In(loc))
		}
		early, late := &looking{now: at.Add(-time.Second).In(loc)}, &looking{now: at.In(loc)}
		if early.tell(&r) || !late.tell(&r) || len(late.told) != 1 || len(r.Events) != 0 {
			t.Errorf("%s: told %v before it and %v at it", zone, early.told, late.told)
		}
	}
}
