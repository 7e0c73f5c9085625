using System.Text.Json.Serialization;

namespace Krate.Diagnoser;

/// <summary>What is known of the job beside its log, as the prompt says it.</summary>
internal sealed record Breadcrumbs
{
    public static Breadcrumbs None { get; } = new();

    public string? Job { get; init; }

    public string? Step { get; init; }

    public string? Command { get; init; }

    public long? ExitCode { get; init; }
}

/// <param name="Text">As it was run.</param>
/// <param name="From">Who says so: log, or job.</param>
internal sealed record FailingCommand(string Text, string From);

/// <param name="Line">From 1.</param>
internal sealed record Place(string Path, int? Line, int? Column);

/// <summary>Who brought a line.</summary>
internal sealed record Blame(string Commit, string Author, DateTimeOffset Time, string Subject);

/// <param name="Number">From 1.</param>
internal sealed record ShownLine(long Number, string Text);

/// <summary>What is to be said about one log. All text of others in it is fit to be shown on one line.</summary>
internal sealed record Diagnosis
{
    public required string Log { get; init; }

    public long LogLines { get; init; }

    public string? Job { get; init; }

    public string? Step { get; init; }

    public long? ExitCode { get; init; }

    [JsonIgnore]
    public Cause Cause { get; init; }

    [JsonPropertyName("cause")]
    public string CauseName => Causes.NameOf(Cause);

    /// <summary>Tool whose words were recognised; null when none was.</summary>
    public string? Tool { get; init; }

    public FailingCommand? Command { get; init; }

    /// <summary>The first error that somebody could act on.</summary>
    public string? Error { get; init; }

    public long? ErrorLine { get; init; }

    public string? Test { get; init; }

    public Place? Place { get; init; }

    /// <summary>Why there is no place.</summary>
    public string? NoPlace { get; init; }

    public Blame? Blame { get; init; }

    /// <summary>Why nobody is named.</summary>
    public string? NoBlame { get; init; }

    /// <summary>Around the error; of an unknown log the last lines that look like one.</summary>
    public IReadOnlyList<ShownLine> LogExcerpt { get; init; } = [];

    /// <summary>Around the place.</summary>
    public IReadOnlyList<ShownLine> Code { get; init; } = [];

    /// <summary>Command to try next.</summary>
    public string? Next { get; init; }
}
