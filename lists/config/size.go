package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Size is a number of bytes: 1048576, "1024KiB", "1MiB", "1GiB".
type Size int64

// UnmarshalText parses a Size.
func (s *Size) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "KMGiB ")
	shift, ok := 0, true
	switch strings.TrimSpace(string(text[len(digits):])) {
	case "", "B":
	case "KiB":
		shift = 10
	case "MiB":
		shift = 20
	case "GiB":
		shift = 30
	default:
		ok = false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || n > 1<<62>>shift {
		return fmt.Errorf(`%q is not a size; write bytes, or "512KiB", "25MiB", "1GiB"`, text)
	}
	*s = Size(n << shift)
	return nil
}

// String returns the Size as written in a file.
func (s Size) String() string {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		shift := 30 - 10*i
		if n := int64(s) >> shift; n > 0 && n<<shift == int64(s) {
			return fmt.Sprintf("%d%s", n, unit)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText formats a Size.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Duration is a time.Duration that may also be given in days: "5d".
type Duration time.Duration

// UnmarshalText parses a Duration.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	days, isDays := strings.CutSuffix(s, "d")
	n, err := strconv.Atoi(days)
	if isDays && err == nil && n > 0 && n < 36500 {
		*d = Duration(n) * Duration(24*time.Hour)
		return nil
	}
	t, err := time.ParseDuration(s)
	if err != nil || t <= 0 {
		return fmt.Errorf(`%q is no time span; write "30s", "5m", "4h" or "5d"`, text)
	}
	*d = Duration(t)
	return nil
}

// String returns the Duration as written in a file.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d > 0 && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := time.Duration(d).String() // 4h0m0s
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-len("0s")]
		}
	}
	return s
}

// MarshalText formats a Duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
