package deliver

import "superlist/lists/outbound/relaytest"

// The relay that a test's site sends to, and what it has got.
type (
	fakeRelay = relaytest.Relay
	delivered = relaytest.Delivered
)

// Many more than any of these tests sends: nobody waits for the test to hear.
const manyMessages = 1000
