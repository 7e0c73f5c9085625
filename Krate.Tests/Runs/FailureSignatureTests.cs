using System.Diagnostics;
using Krate.Core.Runs;
using Xunit;

namespace Krate.Tests.Runs;

/// <summary>Outputs of the real tools, kept as they were printed.</summary>
public sealed class FailureSignatureTests
{
    public static TheoryData<string, string?, long> Outputs => new()
    {
        { "building\nbash: line 1: no_such_tool: command not found\n", "bash: line 1: no_such_tool: command not found", 2 },
        { "s.sh: 1: cd: can't cd to /nowhere\ns.sh: 2: foo-tool: not found\n", "s.sh: 2: foo-tool: not found", 2 },
        {
            "   Compiling rs v0.1.0 (/tmp/ci-out/rs)\nerror[E0308]: mismatched types\n --> src/main.rs:1:26\nerror: could not compile `rs` (bin \"rs\") due to 1 previous error\n",
            "error[E0308]: mismatched types", 2
        },
        {
            "building\ngcc -c bad.c\n/tmp/ci-out/bad.c: In function ‘main’:\n/tmp/ci-out/bad.c:3:10: error: ‘undeclared_thing’ undeclared (first use in this function)\nmake: *** [Makefile:3: all] Error 1\n",
            "bad.c:3:10: error: ‘undeclared_thing’ undeclared (first use in this function)", 4
        },
        { "Cloning into 'y'...\nfatal: '/nowhere/x.git' does not appear to be a git repository\nfatal: Could not read from remote repository.\n", "fatal: 'x.git' does not appear to be a git repository", 2 },
        { "start\nnode:assert:90\n  throw new AssertionError(obj);\n  ^\n\nAssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n\n1 !== 2\n", "AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:", 6 },
        { "TAP version 13\n# Subtest: adds\nok 1 - adds\nnot ok 2 - settles within the bound\n  error: |-\n# fail 1\n", "not ok 2 - settles within the bound", 4 },
        { "loading\nTraceback (most recent call last):\n  File \"<string>\", line 1, in <module>\njson.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n", "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)", 4 },
        { "F\n======\nFAIL: test_total (__main__.T.test_total)\n------\nAssertionError: 41 != 42\n\nFAILED (failures=1)\n", "FAIL: test_total (__main__.T.test_total)", 3 },
        {
            "  Determining projects to restore...\n/tmp/x/net/a.cs(1,34): error CS0103: The name 'Missing' does not exist in the current context [/tmp/x/net/a.csproj]\n\nBuild FAILED.\n    1 Error(s)\n",
            "a.cs(1,34): error CS0103: The name 'Missing' does not exist in the current context [a.csproj]", 2
        },
        { "Passed A.B [2 ms]\n  Failed Shop.Tests.OrderTests.A_total_has_tax [41 ms]\n  Error Message:\n   Assert.Equal() Failure\n", "Failed Shop.Tests.OrderTests.A_total_has_tax", 2 },
        { "=== RUN   TestBackoff\n    backoff_test.go:31: waits 24h0m0s, want 5m0s\n--- FAIL: TestBackoff (0.00s)\nFAIL\nFAIL\tacme/payments\t0.004s\n", "--- FAIL: TestBackoff", 3 },
        { "goroutine\npanic: runtime error: index out of range [5] with length 3\n", "panic: runtime error: index out of range [5] with length 3", 2 },
        { "E       assert 41 == 42\nFAILED tests/test_total.py::test_total - assert 41 == 42\n==== 1 failed in 0.12s ====\n", "FAILED tests/test_total.py::test_total - assert 41 == 42", 2 },
        { "passed A.Adds (3ms)\nfailed A.Waits (21s 972ms)\n  Assert.Equal() Failure\n", "failed A.Waits", 2 },
        { "make: *** [Makefile:3: all] Error 1\n", "make: *** [Makefile:3: all] Error 1", 1 },
        { "all 12 tests passed, 0 failed, no errors\ndone\n", null, 0 },
        { "", null, 0 },
    };

    [Theory, MemberData(nameof(Outputs))]
    public void The_first_error_that_says_something_is_found(string output, string? text, long line)
    {
        var found = FailureSignature.Find(output.Split('\n'));
        Assert.Equal(text is null ? null : (text, line), found);
    }

    [Fact]
    public void Two_runs_of_the_same_failure_have_one_signature()
    {
        string[] runs =
        [
            "2026-11-23T06:12:04.123Z \u001b[31m/home/ci/work/841/src/a.c:3:10: error: bad pointer 0x7ffe12ab in 550e8400-e29b-41d4-a716-446655440000 of 1234567\u001b[0m",
            "[07:59:59] /tmp/build-x81/src/a.c:3:10: error: bad pointer 0x10 in 00000000-0000-4000-8000-000000000000 of 98765",
        ];
        Assert.Equal("a.c:3:10: error: bad pointer <hex> in <id> of <n>", Assert.Single(runs.Select(r => FailureSignature.Find([r])!.Value.Text).Distinct()));
    }

    [Fact]
    public void Hostile_lines_cost_time_by_their_length_only()
    {
        var since = Stopwatch.GetTimestamp();
        string[] bombs =
        [
            "error" + string.Concat(Enumerable.Repeat("\u001b[31m", 200_000)), "fail " + new string('(', 500_000), "error /" + string.Concat(Enumerable.Repeat("a/", 500_000)),
            "error " + new string('1', 1_000_000), "error " + string.Concat(Enumerable.Repeat("0x", 500_000)), new string(' ', 1_000_000) + "error",
        ];
        foreach (var bomb in bombs) Assert.False(FailureSignature.Find(Enumerable.Repeat(bomb, 20))?.Text.Length > FailureSignature.Longest);
        Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(3), $"{Stopwatch.GetElapsedTime(since)}");
    }
}
