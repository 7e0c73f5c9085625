using System.Text.RegularExpressions;

namespace Krate.Diagnoser;

/// <summary>What kind of thing went wrong.</summary>
internal enum Cause
{
    Unknown,
    CompileError,
    TestFailure,
    MissingDependency,
    MissingFile,
    Timeout,
    OutOfMemory,
    DiskFull,
    Network,
    Permission,
    Lint,
    Script,
    Conflict,
    Crash,
}

/// <summary>Causes in words, and the words that tell one.</summary>
internal static class Causes
{
    /// <summary>Whatever a tool calls its failure: who says one of these means it. The first that fits counts.</summary>
    private static readonly (Cause Cause, Regex Words)[] Told =
    [
        (Cause.DiskFull, Patterns.Of(@"No space left on device|Disk quota exceeded|not enough space on the disk")),
        (Cause.OutOfMemory, Patterns.Of(@"[Oo]ut of memory|Cannot allocate memory|\bMemoryError\b|OutOfMemory|std::bad_alloc|Killed signal|signal: killed|\bOOMKilled\b")),
        (Cause.Network, Patterns.Of(@"[Cc]ould not resolve host|Temporary failure in name resolution|Name or service not known|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|Connection (refused|reset|timed out)|Network is unreachable|No route to host|Failed to connect to|Could not connect to|SSL certificate problem|TLS handshake|dial tcp ")),
        (Cause.Timeout, Patterns.Of(@"\btimed out\b|deadline exceeded|TimeoutException|TimeoutError|[Ee]xit(ed with)? (code|status) 124\b")),
        (Cause.MissingDependency, Patterns.Of(@"command not found$|: not found$|Cannot find module|Cannot find package|ModuleNotFoundError|No module named|no required module provides|\bNU1101\b|\bNU1102\b|\.h(h|pp)?: No such file|Unable to find package|cannot find -l")),
        (Cause.MissingFile, Patterns.Of(@"No such file or directory|\bENOENT\b|\bFileNotFound")),
        (Cause.Permission, Patterns.Of(@"Permission denied|\bEACCES\b|Operation not permitted|\bEPERM\b|PermissionError|UnauthorizedAccess|403 Forbidden")),
        (Cause.Lint, Patterns.Of(@"\berror (WHITESPACE|FINALNEWLINE|ENDOFLINE|CHARSET|IMPORTS|IDE\d+|SA\d+)\b")),
    ];

    /// <returns>The cause that the words tell; else what was thought before.</returns>
    public static Cause Of(string words, Cause otherwise) => Told.FirstOrDefault(t => t.Words.IsMatch(words)) is { Words: not null } told ? told.Cause : otherwise;

    /// <summary>As it stands in JSON.</summary>
    public static string NameOf(Cause cause) => cause switch
    {
        Cause.CompileError => "compile-error",
        Cause.TestFailure => "test-failure",
        Cause.MissingDependency => "missing-dependency",
        Cause.MissingFile => "missing-file",
        Cause.Timeout => "timeout",
        Cause.OutOfMemory => "out-of-memory",
        Cause.DiskFull => "disk-full",
        Cause.Network => "network",
        Cause.Permission => "permission",
        Cause.Lint => "lint",
        Cause.Script => "script",
        Cause.Conflict => "conflict",
        Cause.Crash => "crash",
        _ => "unknown",
    };

    public static string WordsFor(Cause cause) => cause switch
    {
        Cause.CompileError => "The code does not compile or link.",
        Cause.TestFailure => "A test failed.",
        Cause.MissingDependency => "Something that is needed is not installed or not declared: a package, a module, a header or a program.",
        Cause.MissingFile => "A file that is needed is not there.",
        Cause.Timeout => "It took longer than it may.",
        Cause.OutOfMemory => "There was not enough memory.",
        Cause.DiskFull => "The disk was full.",
        Cause.Network => "A host could not be reached.",
        Cause.Permission => "Something was not permitted.",
        Cause.Lint => "The code is not as the rules of style want it.",
        Cause.Script => "A script or the configuration of a build is wrong.",
        Cause.Conflict => "It conflicts with what others have changed.",
        Cause.Crash => "A program ended with an error that nobody handled.",
        _ => "Not known.",
    };
}

/// <summary>Patterns over text that nobody vouches for: their time grows with the text, whatever it is.</summary>
internal static class Patterns
{
    public static Regex Of(string pattern) => new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);
}
