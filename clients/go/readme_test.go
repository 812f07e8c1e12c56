package trackside_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestTheReadmesProgramSendsItsEvent(t *testing.T) {
	server := serve(t)
	readme, err := os.ReadFile("README.md")
	must(t, err)
	program := string(regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(readme)[1])
	program = strings.ReplaceAll(program, "localhost:50051", server.Target)
	file := filepath.Join(t.TempDir(), "main.go")
	must(t, os.WriteFile(file, []byte(program), 0o600))
	if output, err := exec.Command("go", "run", file).CombinedOutput(); err != nil || len(output) > 0 {
		t.Fatalf("%v: %s", err, output)
	}
	server.key = "my-key"
	record := server.records()[0]
	equal(t, "event", record["event"].(string), "Order Completed")
	equal(t, "total", record["properties"].(map[string]any)["total"].(float64), 12.5)
}
