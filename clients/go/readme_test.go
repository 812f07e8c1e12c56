package trackside_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestTheReadmesProgramSendsItsEventAndPrintsThatItWasAccepted(t *testing.T) {
	server := serve(t)
	readme, err := os.ReadFile("README.md")
	must(t, err)
	program := string(regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(readme)[1])
	program = strings.ReplaceAll(program, "localhost:50051", server.Target)
	file := filepath.Join(t.TempDir(), "main.go")
	must(t, os.WriteFile(file, []byte(program), 0o600))
	output, err := exec.Command("go", "run", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	server.key = "my-key"
	record := server.records()[0]
	equal(t, "event", record["event"].(string), "Order Completed")
	equal(t, "output", string(output), "accepted "+record["messageId"].(string)+"\n")
	equal(t, "total", record["properties"].(map[string]any)["total"].(float64), 12.5)
}
