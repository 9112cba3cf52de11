package config

import "strings"

// hint says which keys exist instead of an unknown one.
func hint(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "known here: " + strings.Join(known, ", ")
}

// Nearest returns the name that differs in the fewest letters, if it is near at all.
func Nearest(s string, names []string) string {
	best, found := 1+len(s)/3, ""
	for _, name := range names {
		if d := distance(s, name); d <= best {
			best, found = d-1, name
		}
	}
	return found
}

// distance returns how many letters must be inserted, deleted or changed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
