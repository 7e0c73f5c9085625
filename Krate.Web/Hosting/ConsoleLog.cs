using System.Globalization;
using Krate.Web.Hosting.Requests;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Krate.Web.Hosting;

/// <summary>One line per entry for people: time, level, where, what, and the correlation id of the request. JSON for machines is the framework's own (<c>Krate:Log=json</c>).</summary>
internal sealed class ConsoleLog() : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "krate";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z '", CultureInfo.InvariantCulture));
        textWriter.Write(Level(logEntry.LogLevel));
        textWriter.Write(' ');
        textWriter.Write(logEntry.Category[(logEntry.Category.LastIndexOf('.') + 1)..]);
        textWriter.Write(": ");
        textWriter.Write(message.ReplaceLineEndings(" "));
        scopeProvider?.ForEachScope(WriteCorrelation, textWriter);
        textWriter.WriteLine();
        if (logEntry.Exception is { } exception) textWriter.WriteLine(exception.ToString());
    }

    public static ILoggingBuilder Add(ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.ClearProviders();
        if (string.Equals(configuration["Krate:Log"], "json", StringComparison.OrdinalIgnoreCase))
            return logging.AddJsonConsole(o => (o.IncludeScopes, o.UseUtcTimestamp, o.TimestampFormat) = (true, true, "O"));
        return logging.AddConsole(o => o.FormatterName = FormatterName).AddConsoleFormatter<ConsoleLog, ConsoleFormatterOptions>(o => o.IncludeScopes = true);
    }

    private static void WriteCorrelation(object? scope, TextWriter writer)
    {
        if (scope is not IEnumerable<KeyValuePair<string, object>> values) return;
        foreach (var (key, value) in values)
        {
            if (key != Correlation.ScopeKey) continue;
            writer.Write(" [");
            writer.Write(value);
            writer.Write(']');
        }
    }

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        LogLevel.Error => "error",
        _ => "fatal",
    };
}
