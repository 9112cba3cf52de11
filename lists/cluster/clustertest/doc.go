// Package clustertest has hosts of a cluster for tests, and a database in a file: what a
// host does with its own files needs no PostgreSQL to be tested, whatever call fails.
package clustertest
