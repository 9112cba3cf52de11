package signature

import "testing"

// TestTags: white space folds values and names nothing; t=y is one flag among several.
func TestTags(t *testing.T) {
	for _, test := range []struct {
		text, name, value string
		onTrial           bool
	}{
		{"v=1; b=ab\r\n\tcd ==;", "b", "abcd==", false},
		{" d = example.com ;s=x", "d", "example.com", false},
		{"k=rsa; t=y; p=x", "k", "rsa", true},
		{"t = s : y", "t", "s:y", true},
		{"t=yes; n=y", "n", "y", false},
		{"", "b", "", false},
		{"b", "b", "", false},
	} {
		tags := Tags(test.text)
		if tags[test.name] != test.value || tags.OnTrial() != test.onTrial {
			t.Errorf("%q: %s=%q, on trial %v", test.text, test.name, tags[test.name], tags.OnTrial())
		}
	}
}
