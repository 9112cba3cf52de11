package config

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "1": 1, "1048576": 1 << 20, "1024KiB": 1 << 20, "1 MiB": 1 << 20, "3GiB": 3 << 30, "7B": 7,
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "1MB", "1kib", "1MiBKiB", "99999999999GiB", "9223372036854775808"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %d", text, s)
		}
	}
	for want, s := range map[string]Size{"0": 0, "1023": 1023, "1KiB": 1 << 10, "1025": 1025, "1MiB": 1 << 20, "1536KiB": 1536 << 10, "25MiB": 25 << 20, "2GiB": 2 << 30} {
		if got := s.String(); got != want {
			t.Errorf("%d is written %s, want %s", s, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "5d": 120 * time.Hour,
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%q: %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "0s", "0d", "-5m", "-1d", "5", "d", "5 days", "1000000d"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %v", text, d)
		}
	}
	for want, d := range map[string]time.Duration{
		"5d": 5 * 24 * time.Hour, "4h": 4 * time.Hour, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "1m30s": 90 * time.Second,
		"30s": 30 * time.Second, "10s": 10 * time.Second, "20m": 20 * time.Minute, "1h0m5s": time.Hour + 5*time.Second, "25h": 25 * time.Hour,
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
}
