// Package files writes what package ledger reads. It is the Writer of a site that has one
// host, and no program that serves a client links it.
//
// Crash states are in package ledger's documentation.
package files
