using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Krate.Core.Store.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class PersonMarks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "person_marks",
                columns: table => new
                {
                    person = table.Column<string>(type: "TEXT", nullable: false),
                    scope = table.Column<string>(type: "TEXT", nullable: false),
                    item = table.Column<string>(type: "TEXT", nullable: false),
                    version = table.Column<string>(type: "TEXT", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_person_marks", x => new { x.person, x.scope, x.item });
                });

            migrationBuilder.CreateIndex(
                name: "person_marks_by_age",
                table: "person_marks",
                column: "at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "person_marks");
        }
    }
}
