package ledger

import "path/filepath"

// KeyBytes is the length of a list's secret: as long as HMAC-SHA-256's output.
const KeyBytes = 32

// KeyFile is the file with a list's secret, which its proofs are made with, in
// hexadecimal digits.
func (b Book) KeyFile() string { return filepath.Join(b.Dir, "key") }
