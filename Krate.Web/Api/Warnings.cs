namespace Krate.Web.Api;

/// <summary>Collects warnings of one request and sends them as <c>Warning: 299</c> headers, which kubectl prints.</summary>
internal sealed class Warnings(HttpResponse response)
{
    private const int Most = 20;
    private const int Longest = 256;
    private readonly HashSet<string> sent = new(StringComparer.Ordinal);

    public void Add(string text)
    {
        var safe = new string([.. text.Take(Longest).Select(c => c is >= ' ' and <= '~' ? c : '?')]).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        if (sent.Count < Most && sent.Add(safe)) response.Headers.Append("Warning", $"299 - \"{safe}\"");
    }
}
