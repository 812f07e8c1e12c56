// Package scenario reads what a driver is to do from standard input.
package scenario

import (
	"encoding/json"
	"os"
)

// Call is one call to make, with the arguments that it has.
type Call struct {
	Call         string
	UserID       string `json:"userId"`
	AnonymousID  string
	PreviousID   string
	GroupID      string
	Event        string
	Name         string
	Properties   map[string]any
	Traits       map[string]any
	Context      map[string]any
	Integrations map[string]any
}

// Scenario is the host, the key and the calls. Numbers keep their spelling.
type Scenario struct {
	Host      string
	WriteKey  string
	BatchSize int
	Calls     []Call
}

// Read reads the scenario.
func Read() (Scenario, error) {
	var read Scenario
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	return read, decoder.Decode(&read)
}
