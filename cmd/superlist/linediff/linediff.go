// Package linediff compares two texts line by line.
package linediff

// Steps returns the lines of both texts: those of only the first have "-" in front, those
// of only the second "+", and the others a blank. It uses the longest common subsequence,
// whose memory grows with the product of both lengths.
func Steps(a, b []string) (steps []string) {
	common := make([][]int32, len(a)+1) // its length from here on
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			steps = append(steps, " "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			steps = append(steps, "-"+a[i])
			i++
		default:
			steps = append(steps, "+"+b[j])
			j++
		}
	}
	return steps
}
