namespace Krate.Diagnoser;

/// <summary>The failures that are known, by tool. Of equal ranks the first line of the log counts, and of equal lines the first entry here.</summary>
internal static class Recognisers
{
    private const string NetFrame = @" in (?<file>[^:]+):(line )?(?<line>\d+)$|^\s*(?<file>\S[^(]*)\((?<line>\d+),\d+\): at ";
    private const string NetNext = @"^\s*([Ff]ailed|[Pp]assed|[Ss]kipped) \S|^\S.* failed with \d+ error";
    private const string NodeFrame = @"(\(|\bat |file://)(?<file>/[^\s():']+\.[cm]?[jt]sx?):(?<line>\d+):(?<column>\d+)\)?$|^(?<file>/\S+\.[cm]?[jt]sx?):(?<line>\d+)$";
    private const string GoFrame = @"^\s+(?<file>[^\s:]+\.go):(?<line>\d+): (?<message>\S.*)$|^\s+(?<file>/\S+\.go):(?<line>\d+)( \+0x[0-9a-f]+)?$|^panic: (?<message>.+)$|\.(?<test>Test\w+)\(";
    private const string PythonFrame = @"^\s*File ""(?<file>[^""]+)"", line (?<line>\d+)";
    private const string CSource = @"[^\s:()]+\.(c|cc|cpp|cxx|h|hh|hpp)";

    public static IReadOnlyList<Recogniser> All { get; } =
    [
        new("dotnet format", Rank.Place, Cause.Lint, @"^\s*(?<file>\S[^(:]*)\((?<line>\d+),(?<column>\d+)\): (?<message>error (WHITESPACE|FINALNEWLINE|ENDOFLINE|CHARSET|IMPORTS): .+?)( \[\S+\])?$") { Next = ["dotnet format"] },
        new("dotnet build", Rank.Place, Cause.CompileError, @"^\s*(?<file>\S[^(:]*\.(cs|fs|vb|razor|cshtml))\((?<line>\d+),(?<column>\d+)[\d,]*\): (?<message>error [A-Z]+\d*: .+?)( \[(?<target>[^\]]+proj)\S*\])?$") { Next = ["dotnet build"] },
        new("dotnet build", Rank.Place, Cause.MissingDependency, @"^\s*(?<file>\S.*proj|\S.*\.slnx?) : (?<message>error NU\d+: .+)$") { Next = ["dotnet restore {file}", "dotnet restore"] },
        new("dotnet build", Rank.Error, Cause.Script, @"^\s*\S[^:]*: (?<message>error( [A-Z]+\d+: | : ).+?)( \[(?<target>[^\]]+proj)\S*\])?$") { Next = ["dotnet build"] },
        new("dotnet test", Rank.Place, Cause.TestFailure, @"^\s*Failed (?<test>[\w.+]+[^\[(]*?)(\(.*\))? \[[\d<][^\]]*\]$") { Around = NetFrame, Until = NetNext, After = 60, SaysNext = true, Next = ["dotnet test --filter FullyQualifiedName={test}"] },
        new("dotnet test", Rank.Place, Cause.TestFailure, @"^failed (?<test>[\w.+]+[^\[(]*?)(\(.*\))? \([\d<][^)]*\)$") { Around = NetFrame, Until = NetNext, After = 60, SaysNext = true, Next = ["dotnet test --filter-method {test}"] },
        new("dotnet test", Rank.Place, Cause.TestFailure, @"^\s+(?<test>[\w.+]+[^\[(]*?)(\(.*\))? \[FAIL\]$") { Around = NetFrame, Until = @"\[FAIL\]$|^\s*Finished:", After = 60, SaysNext = true, Next = ["dotnet test --filter-method {test}"] },
        new("dotnet", Rank.Error, Cause.Crash, @"^Unhandled exception\. (?<message>.+)$") { Around = NetFrame, After = 40 },

        new("pytest", Rank.Place, Cause.TestFailure, @"^E\s+(?<message>\S.*)$")
        {
            Around = @"^(?<file>[^\s:][^:]*\.py):(?<line>\d+): |^_+ (?<test>[\w.\[\]-]+) _+$|^(?<file>[^\s:][^:]*\.py):(?<line>\d+):", Until = @"^(=|!)+ ", Before = 60, After = 40, Needs = @"\.py:\d+:",
            Next = ["python3 -m pytest -k {test}", "python3 -m pytest {file}"],
        },
        new("python", Rank.Error, Cause.Crash, @"^(?<message>[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit)(: .*)?)$") { Needs = "^Traceback ", Around = PythonFrame, Before = 60, Next = ["python3 {file}"] },

        new("node --test", Rank.Place, Cause.TestFailure, @"^\s*not ok \d+ - (?<test>\S.*)$")
        {
            SaysAfter = @"^\s*error: \|-$", Around = @"^\s*error: '(?<message>.+)'$|" + NodeFrame + @"|^\s+[\w.<>]+( \[as \w+\])? \((?<file>/[^\s():]+):(?<line>\d+):(?<column>\d+)\)$", Until = @"^\s*(not )?ok \d+ |^# Subtest: |^\s*\.\.\.$", After = 60,
            Next = ["node --test --test-name-pattern={test} {file}"],
        },
        new("node --test", Rank.Place, Cause.TestFailure, @"^\s*✖ (?<test>\S.*) \([\d.]+ms\)$")
        {
            Around = NodeFrame, Until = @"^\s*[✖✔ℹ] ", After = 40, SaysNext = true, Next = ["node --test --test-name-pattern={test} {file}"],
        },
        new("node", Rank.Error, Cause.Crash, @"^(Uncaught )?(?<message>[A-Za-z_]*(Error|Exception)( \[\w+\])?: .+)$") { Needs = @"^\s+at .*[:)\]]|^Node\.js v", Around = NodeFrame, Before = 8, After = 30, Next = ["node {file}"] },
        new("node", Rank.Error, Cause.OutOfMemory, @"^FATAL ERROR: (?<message>.+)$"),

        new("go test", Rank.Place, Cause.CompileError, @"^(vet: )?(?<file>[^\s:]+\.go):(?<line>\d+):(?<column>\d+): (?<message>.+)$") { Next = ["go build ./{folder}"] },
        new("go test", Rank.Place, Cause.TestFailure, @"^\s*--- FAIL: (?<test>\S+) \(") { Around = GoFrame, Until = @"^(FAIL|ok)\b|^\s*(---|===) ", Before = 40, After = 60, Next = ["go test -run ^{test}$ ./{folder}"] },
        new("go test", Rank.Place, Cause.Timeout, @"^panic: (?<message>test timed out after .+)$") { Around = GoFrame, Until = @"^FAIL\b", After = 120, Next = ["go test -run ^{test}$ ./{folder}"] },
        new("go", Rank.Error, Cause.Crash, @"^panic: (?<message>.+)$") { Around = GoFrame, Until = @"^FAIL\b|^exit status", After = 60, Next = ["go build ./{folder}"] },

        new("gcc", Rank.Place, Cause.CompileError, $@"^(?<file>{CSource}):(?<line>\d+):(?<column>\d+): (fatal )?error: (?<message>.+)$") { Next = ["gcc -fsyntax-only {file}"] },
        new("gcc", Rank.Place, Cause.CompileError, $@"(?<file>{CSource}):\(\.text[^)]*\): (?<message>undefined reference to .+)$"),
        new("gcc", Rank.Error, Cause.MissingDependency, @"^(\S*/)?ld: (?<message>cannot find .+)$"),
        new("make", Rank.Place, Cause.Script, @"^(?<file>[^\s:]+):(?<line>\d+): \*\*\* (?<message>.+?)\s+Stop\.$"),
        new("make", Rank.Error, Cause.Script, @"^\S*make(\[\d+\])?: \*\*\* (?<message>No rule to make target '(?<target>[^']+)'.*?)\s+Stop\.$") { Next = ["make --dry-run {target}"] },
        new("make", Rank.Closing, Cause.Unknown, @"^\S*make(\[\d+\])?: \*\*\* \[((?<file>[^:\]]+):(?<line>\d+): )?(?<target>[^\]]+)\] .+$") { Next = ["make {target}"] },

        new("bash", Rank.Error, Cause.Script, @"^(?<file>[^\s:]+): line (?<line>\d+): (?<message>syntax error.+|unexpected EOF.+)$") { Next = ["bash -n {file}"] },
        new("bash", Rank.Error, Cause.Script, @"^(?<file>[^\s:]+): (line )?(?<line>\d+): (?<message>(?<target>[^\s:]+): (command not found|not found))$") { Next = ["command -v {target}"] },
        new("bash", Rank.Error, Cause.Permission, @"^((/bin/)?(ba)?sh): line \d+: (?<message>(?<target>(?<file>[^\s:]+)): Permission denied)$") { Next = ["ls -l {target}"] },
        new("bash", Rank.Error, Cause.Permission, @"^(?<file>[^\s:]+): line (?<line>\d+): (?<message>(?<target>[^\s:]+): Permission denied)$") { Next = ["ls -l {target}"] },
        new("bash", Rank.Error, Cause.Script, @"^(?<file>[^\s:]+): line (?<line>\d+): (?<message>.+)$") { Next = ["bash -n {file}"] },

        new("git", Rank.Place, Cause.Conflict, @"^CONFLICT \([^)]*\): (?<message>Merge conflict in (?<file>.+))$") { Next = ["git diff --name-only --diff-filter=U"] },
        new("git", Rank.Error, Cause.Conflict, @"^ ! \[(remote )?rejected\]\s+(?<message>.+)$") { Next = ["git fetch origin"] },
        new("git", Rank.Error, Cause.Script, @"^error: (?<message>pathspec '(?<target>[^']+)' did not match.*)$") { Next = ["git rev-parse --verify {target}"] },
        new("git", Rank.Error, Cause.MissingFile, @"^(?<message>fatal: path '(?<target>(?<file>[^']+))' (does not exist|exists on disk, but not).*)$") { Next = ["git log --oneline --all -- {target}"] },
        new("git", Rank.Error, Cause.Script, @"^(?<message>fatal: .+)$") { Next = ["git remote --verbose"] },
        new("curl", Rank.Error, Cause.Network, @"^(?<message>curl: \(\d+\) .+)$"),

        new("system", Rank.Error, Cause.DiskFull, @"(?<message>\S.*(No space left on device|Disk quota exceeded).*)$") { Next = ["df -h ."] },
        new("system", Rank.Hint, Cause.OutOfMemory, @"^(.*: )?(?<message>Killed|Out of memory.*|Cannot allocate memory.*)$") { Next = ["free -m"] },
        new("system", Rank.Hint, Cause.Network, @"(?<message>\S.*([Cc]ould not resolve host|Temporary failure in name resolution|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|Connection (refused|timed out)|Network is unreachable).*)$"),
        new("system", Rank.Hint, Cause.MissingFile, @"^(?<message>\S+: (.+ )?'?(?<file>[^\s':]+)'?: No such file or directory)$"),
        new("system", Rank.Hint, Cause.Permission, @"(?<message>\S.*(Permission denied|\bEACCES\b).*)$"),
        new("system", Rank.Hint, Cause.Timeout, @"^(?<message>.*([Ee]xit(ed with)? (code|status):? 124\b|timed out after \S+|exceeded the (maximum|time) limit).*)$"),
    ];
}
